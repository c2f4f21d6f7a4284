# The same for what a master does.
# proves: misuse.words
# deviates: luasocket does not name the parameter
m tcp4                   = object
m bind true 0            X "bad argument #1 to 'bind' (address: text expected)"
m bind "127.0.0.1" []    X "bad argument #2 to 'bind' (port: integer, digits or service name expected)"
m bind "127.0.0.1" 65536 X "bad argument #2 to 'bind' (port: 0 to 65535 expected)"
m connect true 80        X "bad argument #1 to 'connect' (address: text expected)"
m connect "127.0.0.1" [] X "bad argument #2 to 'connect' (port: integer, digits or service name expected)"
m connect "127.0.0.1" 0  X "bad argument #2 to 'connect' (port: 1 to 65535 expected)"
m listen "x"             X "bad argument #1 to 'listen' (backlog: integer expected)"
