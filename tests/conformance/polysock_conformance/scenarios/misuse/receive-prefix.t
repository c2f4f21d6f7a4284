# A prefix is a byte string.
# proves: misuse.receive.prefix misuse.receive.harmless
peer listen
mod connect $host $port = object -> c
peer accept
peer send "line\n"
c receive "*l" []       X "bad argument #2 to 'receive'"
c receive "*l" true     X "bad argument #2 to 'receive'"
c receive 3 {}          X "bad argument #2 to 'receive'"
c receive               = "line"
