# Masters and servers have no peer.
# proves: getpeername.master getpeername.server
# needs: linux
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s getpeername          ! "Transport endpoint is not connected"
m tcp4                 = object
m getpeername          ! "Transport endpoint is not connected"
m bind "127.0.0.1" 0   = 1
m getpeername          ! "Transport endpoint is not connected"
