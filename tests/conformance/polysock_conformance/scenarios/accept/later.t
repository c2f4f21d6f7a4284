# A server that timed out accepts later.
# proves: accept.timeout accept.waiting
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s settimeout 0.05      = 1
s accept               ! "timeout" ~0.05s
peer connect "127.0.0.1" $p
s accept               = object -> c
