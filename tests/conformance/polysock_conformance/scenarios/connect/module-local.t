# connect with a local address, and port, leaves from there.
# proves: module.connect.local module.connect.localport
# needs: linux
peer listen
mod connect $host $port "127.0.0.2"        = object -> c
peer accept
c getsockname                              = "127.0.0.2" <integer $p> "inet"
c setoption "linger" {on=true timeout=0}   = 1
c close                                    = 1
peer:q listen
mod connect $q.host $q.port "127.0.0.2" $p = object -> c
peer:q accept
c getsockname                              = "127.0.0.2" $p "inet"
