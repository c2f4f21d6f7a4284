# A closed server refuses connections, and its port can be bound again.
# proves: close.server
mod bind "127.0.0.1" 0  = object -> s
s getsockname           = "127.0.0.1" <integer $p> "inet"
s close                 = 1
peer connect "127.0.0.1" $p ! "refused"
mod bind "127.0.0.1" $p = object -> s
peer connect "127.0.0.1" $p
s accept                = object -> c
