# An accepted client is connected.
# proves: connect.already
mod bind "127.0.0.1" 0   = object -> s
s getsockname            = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept                 = object -> c
c connect "127.0.0.1" $p ! "already connected"
