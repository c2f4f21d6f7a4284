# A port may be given as an integer or as a string of digits.
# proves: address.port.integer address.port.digits
# needs: loopback
c tcp4                      = object
c bind "127.0.0.2" 0        = 1
c getsockname               = "127.0.0.2" <integer $p> "inet"
c close                     = 1
c tcp4                      = object
c bind "127.0.0.2" $p       = 1
c getsockname               = "127.0.0.2" $p "inet"
c close                     = 1
c tcp4                      = object
c bind "127.0.0.2" text($p) = 1
c getsockname               = "127.0.0.2" $p "inet"
