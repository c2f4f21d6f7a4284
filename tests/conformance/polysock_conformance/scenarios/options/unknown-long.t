# A very long unknown name is misuse as any other.
# proves: option.unknown
peer listen
mod connect $host $port           = object -> c
peer accept
c setoption repeat("x",3000) true X "unsupported option"
c getoption repeat("x",3000)      X "unsupported option"
