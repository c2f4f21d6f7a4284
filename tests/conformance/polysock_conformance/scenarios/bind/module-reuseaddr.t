# A server from bind has reuseaddr on, so its port can be bound again at once.
# proves: module.bind.reuseaddr
# needs: loopback
mod bind "127.0.0.2" 0  = object -> s
s getsockname           = "127.0.0.2" <integer $p> "inet"
peer connect "127.0.0.2" $p
s accept                = object -> c
s getoption "reuseaddr" = true
c close                 = 1
peer expect eof
s close                 = 1
peer close
mod bind "127.0.0.2" $p = object -> s
