# The words for values out of range.
# proves: misuse.words
peer listen
mod connect $host $port            = object -> c
peer accept
c receive nan                      X "bad argument #1 to 'receive' (pattern: "
c receive "*x"                     X "bad argument #1 to 'receive' (pattern: '*l', '*L', '*a' or a count from 0 expected)"
c receive -1                       X "bad argument #1 to 'receive' (pattern: '*l', '*L', '*a' or a count from 0 expected)"
c receiveuntil ""                  X "bad argument #1 to 'receiveuntil' (delimiter: at least one byte expected)"
c settimeout nan                   X "bad argument #1 to 'settimeout' (value: not a number)"
c setdeadline nan                  X "bad argument #1 to 'setdeadline' (seconds: not a number)"
c setoption "keepalive" "x"        X "boolean expected)"
c setoption "tcp-keepcnt" "x"      X "integer expected)"
c setoption "tcp-user-timeout" "x" X "number expected)"
c setoption "bindtodevice" true    X "text expected)"
c setoption "linger" true          X "'on' (boolean) and 'timeout' (seconds) expected)"
c setfd 2147483648                 X "bad argument #1 to 'setfd' (fd: descriptor from -1 to 2147483647 expected)"
mod sleep nan                      X "bad argument #1 to 'sleep' (seconds: not a number)"
mod select nil nil nan             X "bad argument #3 to 'select' (timeout: not a number)"
mod bind "127.0.0.1" 0 1.5         X "bad argument #3 to 'bind' (backlog: integer expected)"
mod connect "127.0.0.1\0x" 80      X "bad argument #1 to 'connect' (address: no NUL byte allowed)"
