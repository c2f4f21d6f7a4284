# Limits belong to one object and not to another.
# proves: timeout.alone accept.limits
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s settimeout 3         = 1
s settimeout 4 "t"     = 1
peer connect "127.0.0.1" $p
s accept               = object -> c
c gettimeout           = -1.0 -1.0
c settimeout 1         = 1
s gettimeout           = 3.0 4.0
