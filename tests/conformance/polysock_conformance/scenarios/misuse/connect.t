# connect wants an address and a port, each of its type.
# proves: misuse.connect.address misuse.connect.port.type
c tcp                     = object
c connect [] 80           X "bad argument #1 to 'connect'"
c connect true 80         X "bad argument #1 to 'connect'"
c connect nil 80          X "bad argument #1 to 'connect'"
c connect "127.0.0.1" []  X "bad argument #2 to 'connect'"
c connect "127.0.0.1" nil X "bad argument #2 to 'connect'"
c getfd                   = -1
c tostring                = <like "tcp{master}: *">
