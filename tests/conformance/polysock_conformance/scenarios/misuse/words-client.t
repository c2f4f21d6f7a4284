# The text of a wrong argument names number, method and parameter: what a client does.
# proves: misuse.words
# deviates: luasocket does not name the parameter
peer listen
mod connect $host $port     = object -> c
peer accept
c receive []                X "bad argument #1 to 'receive' (pattern: '*l', '*L', '*a' or a count from 0 expected)"
c receive "*l" true         X "bad argument #2 to 'receive' (prefix: bytes expected)"
c send true                 X "bad argument #1 to 'send' (data: bytes expected)"
c send "abc" "x"            X "bad argument #2 to 'send' (i: integer expected)"
c send "abc" 1 "x"          X "bad argument #3 to 'send' (j: integer expected)"
c shutdown "x"              X "bad argument #1 to 'shutdown' (mode: 'both', 'send' or 'receive' expected)"
c settimeout "x"            X "bad argument #1 to 'settimeout' (value: number expected)"
c settimeout 1 "x"          X "bad argument #2 to 'settimeout' (mode: 'b' or 't' expected)"
c setstats "x"              X "bad argument #1 to 'setstats' (received: integer expected)"
c setstats 1 "x"            X "bad argument #2 to 'setstats' (sent: integer expected)"
c setstats 1 2 "x"          X "bad argument #3 to 'setstats' (age: number expected)"
c setfd "x"                 X "bad argument #1 to 'setfd' (fd: integer expected)"
c getoption true            X "bad argument #1 to 'getoption' (option: text expected)"
c setoption true true       X "bad argument #1 to 'setoption' (option: text expected)"
c setoption "keepalive" "x" X "bad argument #2 to 'setoption' ("
