# The function bind gives a server that accepts connections at that place.
# proves: module.bind getsockname.server kind.server.text
mod bind "127.0.0.1" 0 = object -> s
s tostring             = <like "tcp{server}: 0x*">
s getsockname          = "127.0.0.1" <integer 1..65535 $p> "inet"
peer connect "127.0.0.1" $p
s accept               = object -> c
