# bind wants an address and a port, each of its type.
# proves: misuse.bind.address misuse.bind.port.type misuse.words
c tcp4                 = object
c bind [] 0            X "bad argument #1 to 'bind'"
c bind true 0          X "bad argument #1 to 'bind'"
c bind nil 0           X "bad argument #1 to 'bind'"
c bind "127.0.0.1" []  X "bad argument #2 to 'bind'"
c bind "127.0.0.1" nil X "bad argument #2 to 'bind'"
c bind "127.0.0.1" 0   = 1
