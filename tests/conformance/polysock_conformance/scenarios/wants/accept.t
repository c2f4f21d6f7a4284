# An accept that timed out waits to read.
# proves: wants.accept wants.none
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s wants                = nil
s settimeout 0         = 1
s accept               ! "timeout"
s wants                = "r"
peer connect "127.0.0.1" $p
mod select [s] nil 3   = [s] []
s accept               = object -> c
s wants                = nil
c wants                = nil
