# The limits hold for accept.
# proves: timeout.accept accept.timeout accept.zero
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s settimeout 0.1       = 1
s accept               ! "timeout" ~0.1s
s settimeout nil       = 1
s settimeout 0.15 "t"  = 1
s accept               ! "timeout" ~0.15s
s settimeout 0         = 1
s accept               ! "timeout" ~0s
