# The maximum of receiveany is an integer from 1.
# proves: misuse.any.max
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abc"
c receiveany 0          X "bad argument #1 to 'receiveany'"
c receiveany -1         X "bad argument #1 to 'receiveany'"
c receiveany 1.5        X "bad argument #1 to 'receiveany'"
c receiveany nan        X "bad argument #1 to 'receiveany'"
c receiveany "x"        X "bad argument #1 to 'receiveany'"
c receiveany []         X "bad argument #1 to 'receiveany'"
c receiveany            = "abc"
