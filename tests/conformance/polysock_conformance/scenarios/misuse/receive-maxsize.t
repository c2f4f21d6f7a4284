# A maxsize is an integer from 1.
# proves: misuse.receive.maxsize misuse.receive.harmless
peer listen
mod connect $host $port = object -> c
peer accept
peer send "line\n"
c receive "*l" "" 0     X "bad argument #3 to 'receive'"
c receive "*l" "" -1    X "bad argument #3 to 'receive'"
c receive "*l" "" 1.5   X "bad argument #3 to 'receive'"
c receive "*l" "" nan   X "bad argument #3 to 'receive'"
c receive "*l" "" "x"   X "bad argument #3 to 'receive'"
c receive "*l" "" []    X "bad argument #3 to 'receive'"
c receive               = "line"
