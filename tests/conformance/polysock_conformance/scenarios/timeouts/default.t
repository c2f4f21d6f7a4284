# A new object has no limits.
# proves: timeout.default
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept               = object -> c
m tcp                  = object
m gettimeout           = -1.0 -1.0
s gettimeout           = -1.0 -1.0
c gettimeout           = -1.0 -1.0
