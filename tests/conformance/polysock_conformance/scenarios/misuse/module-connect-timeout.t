# The limit of connect is a number.
# proves: misuse.connect.timeout
peer listen
mod connect $host $port nil nil nil "x" X "bad argument #6 to 'connect' (timeout: number expected)"
mod connect $host $port nil nil nil []  X "bad argument #6 to 'connect' (timeout: number expected)"
mod connect $host $port nil nil nil nan X "bad argument #6 to 'connect' (timeout: not a number)"
mod connect4 $host $port nil nil nan    X "bad argument #5 to 'connect4' (timeout: not a number)"
mod connect6 $host $port nil nil true   X "bad argument #5 to 'connect6' (timeout: number expected)"
