# Wrong arguments are misuse, and change nothing.
# proves: poller.misuse
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "x"             X "bad argument #2 to 'add' (events: 'r', 'w' or 'rw' expected)"
p add c ""              X "bad argument #2 to 'add' (events: 'r', 'w' or 'rw' expected)"
p add c "wr"            X "bad argument #2 to 'add' (events: 'r', 'w' or 'rw' expected)"
p add c "r\0"           X "bad argument #2 to 'add' (events: no NUL byte allowed)"
p add c nil             X "bad argument #2 to 'add' (events: text expected)"
p add nil "r"           X "bad argument #1 to 'add' (sock: socket or object with a descriptor expected)"
p add 5 "r"             X "bad argument #1 to 'add' (sock: socket or object with a descriptor expected)"
p add "c" "r"           X "bad argument #1 to 'add' (sock: socket or object with a descriptor expected)"
p remove 5              X "bad argument #1 to 'remove' (sock: socket or object with a descriptor expected)"
p modify true "r"       X "bad argument #1 to 'modify' (sock: socket or object with a descriptor expected)"
p modify c "x"          X "bad argument #2 to 'modify' (events: 'r', 'w' or 'rw' expected)"
p wait "soon"           X "bad argument #1 to 'wait' (timeout: number expected)"
p wait nan              X "bad argument #1 to 'wait' (timeout: not a number)"
p wait 0 -1             X "bad argument #2 to 'wait' (max: integer from"
p wait 0 0              X "bad argument #2 to 'wait' (max: integer from 1 expected)"
p wait 0 1.5            X "bad argument #2 to 'wait' (max: integer expected)"
p count                 = 0
p add c "w"             = 1
p modify c "x"          X "bad argument #2 to 'modify'"
p wait 0                = [[c "w"]]
