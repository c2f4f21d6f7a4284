# The name of an option is text.
# proves: misuse.option.name
peer listen
mod connect $host $port = object -> c
peer accept
c setoption [] true     X "bad argument #1 to 'setoption'"
c setoption nil true    X "bad argument #1 to 'setoption'"
c setoption true true   X "bad argument #1 to 'setoption'"
c getoption []          X "bad argument #1 to 'getoption'"
c getoption nil         X "bad argument #1 to 'getoption'"
