# The function connect checks its arguments before it connects.
# proves: misuse.connect.local misuse.connect.family misuse.connect.port.range convention.misuse.before
# deviates: luasocket takes every number for a port
peer listen
mod connect [] $port                      X "bad argument #1 to 'connect'"
mod connect $host 0                       X "bad argument #2 to 'connect'"
mod connect $host 65536                   X "bad argument #2 to 'connect'"
mod connect $host $port []                X "bad argument #3 to 'connect'"
mod connect $host $port "127.0.0.1" []    X "bad argument #4 to 'connect'"
mod connect $host $port "127.0.0.1" 65536 X "bad argument #4 to 'connect'"
mod connect $host $port "127.0.0.1" -1    X "bad argument #4 to 'connect'"
mod connect $host $port nil nil "inet5"   X "bad argument #5 to 'connect'"
mod connect $host $port nil nil []        X "bad argument #5 to 'connect'"
