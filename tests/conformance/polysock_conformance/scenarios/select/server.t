# A server with a waiting connection is readable.
# proves: select.server
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
mod select [s] nil 0   = [] [] "timeout" ~0s
peer connect "127.0.0.1" $p
mod select [s] nil 1   = [s] [] ~0s
s accept               = object -> c
mod select [s] nil 0   = [] [] "timeout" ~0s
