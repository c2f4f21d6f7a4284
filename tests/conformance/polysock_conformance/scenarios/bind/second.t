# A second bind of the same object is a failure with the system's words.
# proves: bind.second error.system
# needs: linux
c tcp4               = object
c bind "127.0.0.1" 0 = 1
c getsockname        = "127.0.0.1" <integer $p> "inet"
c bind "127.0.0.1" 0 ! "Invalid argument"
c getsockname        = "127.0.0.1" $p "inet"
