# A prefix as long as maxsize, and a count above it, are misuse.
# proves: misuse.receive.maxsize.prefix misuse.receive.maxsize.count
peer listen
mod connect $host $port = object -> c
peer accept
peer send "line\n"
c receive "*l" "abc" 3  X "bad argument #2 to 'receive'"
c receive "*L" "abcd" 3 X "bad argument #2 to 'receive'"
c receive "*a" "abc" 3  X "bad argument #2 to 'receive'"
c receive 4 "" 3        X "bad argument #1 to 'receive'"
c receive "*l" "" 5     = "line"
