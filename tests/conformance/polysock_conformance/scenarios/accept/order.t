# Connections are accepted one by one, in their order, each with its own peer.
# proves: accept.order
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
peer:q connect "127.0.0.1" $p
s accept               = object -> c
s accept               = object -> d
peer send "first\n"
peer:q send "second\n"
d receive              = "second"
c receive              = "first"
