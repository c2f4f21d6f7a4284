# The delimiter of receiveuntil is a byte string that is not empty.
# proves: misuse.until.delimiter misuse.until.prefix misuse.until.maxsize
peer listen
mod connect $host $port    = object -> c
peer accept
peer send "abc;"
c receiveuntil ""          X "bad argument #1 to 'receiveuntil'"
c receiveuntil nil         X "bad argument #1 to 'receiveuntil'"
c receiveuntil []          X "bad argument #1 to 'receiveuntil'"
c receiveuntil true        X "bad argument #1 to 'receiveuntil'"
c receiveuntil ";" []      X "bad argument #2 to 'receiveuntil'"
c receiveuntil ";" "" 0    X "bad argument #3 to 'receiveuntil'"
c receiveuntil ";" "" -1   X "bad argument #3 to 'receiveuntil'"
c receiveuntil ";" "" "x"  X "bad argument #3 to 'receiveuntil'"
c receiveuntil ";" "abc" 3 X "bad argument #2 to 'receiveuntil'"
c receiveuntil ";"         = "abc"
