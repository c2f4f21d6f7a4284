# The same for what LuaSocket does not have.
# proves: misuse.missing
peer listen
mod connect $host $port = object -> c
peer accept
c receiveuntil          X "bad argument #1 to 'receiveuntil'"
mod fromfd              X "bad argument #1 to 'fromfd'"
mod fromfd 5            X "bad argument #2 to 'fromfd'"
