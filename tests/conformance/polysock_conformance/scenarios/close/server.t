# A closed server refuses connections, and its port can be bound again.
# proves: close.server
# needs: loopback
mod bind "127.0.0.2" 0  = object -> s
s getsockname           = "127.0.0.2" <integer $p> "inet"
s close                 = 1
peer connect "127.0.0.2" $p ! "refused"
mod bind "127.0.0.2" $p = object -> s
peer connect "127.0.0.2" $p
s accept                = object -> c
