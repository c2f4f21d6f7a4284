# A caller who has reset before accept neither breaks nor blocks the server.
# proves: accept.gone
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
peer reset
peer:q connect "127.0.0.1" $p
s settimeout 1         = 1
s accept               = object -> c
s accept               = object -> d
c receive              ! "closed" ""
peer:q send "x\n"
d receive              = "x"
