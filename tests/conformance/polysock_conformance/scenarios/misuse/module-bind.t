# The function bind checks its arguments as the method does.
# proves: misuse.bind.address misuse.bind.port.type misuse.bind.port.range misuse.listen.backlog
# deviates: luasocket raises out of the functions that it is made of, and wraps large ports
mod bind [] 0              X "bad argument #1 to 'bind'"
mod bind nil 0             X "bad argument #1 to 'bind'"
mod bind "127.0.0.1" []    X "bad argument #2 to 'bind'"
mod bind "127.0.0.1" 65536 X "bad argument #2 to 'bind'"
mod bind "127.0.0.1" -1    X "bad argument #2 to 'bind'"
mod bind "127.0.0.1" 0 "x" X "bad argument #3 to 'bind'"
mod bind "127.0.0.1" 0 1.5 X "bad argument #3 to 'bind'"
mod bind "127.0.0.1" 0 []  X "bad argument #3 to 'bind'"
