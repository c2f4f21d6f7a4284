# A port may be given as an integer or as a string of digits.
# proves: address.port.integer address.port.digits
c tcp4                      = object
c bind "127.0.0.1" 0        = 1
c getsockname               = "127.0.0.1" <integer $p> "inet"
c close                     = 1
c tcp4                      = object
c bind "127.0.0.1" $p       = 1
c getsockname               = "127.0.0.1" $p "inet"
c close                     = 1
c tcp4                      = object
c bind "127.0.0.1" text($p) = 1
c getsockname               = "127.0.0.1" $p "inet"
