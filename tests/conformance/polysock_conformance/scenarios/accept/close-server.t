# Accepted clients outlive their server.
# proves: accept.order close.server
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept               = object -> c
s close                = 1
c send "ab"            = 2
peer expect "ab"
peer send "cd\n"
c receive              = "cd"
