# The same for what LuaSocket does not have.
# proves: misuse.words
peer listen
mod connect $host $port = object -> c
peer accept
c receive "*l" "" 0     X "bad argument #3 to 'receive' (maxsize: integer from 1 expected)"
c receive "*l" "abc" 2  X "bad argument #2 to 'receive' (prefix: shorter than maxsize expected)"
c receive 5 "" 2        X "bad argument #1 to 'receive' (pattern: at most maxsize expected)"
c receiveany 0          X "bad argument #1 to 'receiveany' (max: integer from 1 expected)"
c receiveuntil true     X "bad argument #1 to 'receiveuntil' (delimiter: bytes expected)"
c receiveuntil ";" true X "bad argument #2 to 'receiveuntil' (prefix: bytes expected)"
c receiveuntil ";" "" 0 X "bad argument #3 to 'receiveuntil' (maxsize: integer from 1 expected)"
c lines "*x"            X "bad argument #1 to 'lines' (pattern: '*l', '*L', '*a' or a count from 0 expected)"
c setdeadline "x"       X "bad argument #1 to 'setdeadline' (seconds: number expected)"
mod fromfd "x" "client" X "bad argument #1 to 'fromfd' (fd: integer expected)"
mod fromfd 5 "x"        X "bad argument #2 to 'fromfd' (kind: 'master', 'client' or 'server' expected)"
