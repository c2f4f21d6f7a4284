# A client whose peer has reset is readable.
# proves: select.eof
peer listen
mod connect $host $port = object -> c
peer accept
peer reset
mod select [c] nil 1    = [c] [] ~0s
