# The same for what LuaSocket does not have.
# proves: misuse.boolean
peer listen
mod connect $host $port        = object -> c
peer accept
c receive "*l" "" true         X "bad argument #3 to 'receive'"
c receiveany true              X "bad argument #1 to 'receiveany'"
c receiveuntil ";" "" true     X "bad argument #3 to 'receiveuntil'"
c setdeadline true             X "bad argument #1 to 'setdeadline'"
c lines true                   X "bad argument #1 to 'lines'"
c setoption "tcp-keepcnt" true X "bad argument #2 to 'setoption'"
mod fromfd true "client"       X "bad argument #1 to 'fromfd'"
