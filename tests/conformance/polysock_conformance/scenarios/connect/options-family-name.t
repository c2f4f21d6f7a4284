# They go with it from address to address of one name, too: refused at ::1, then 127.0.0.1.
# proves: connect.options.family connect.addresses
# level: extended
# needs: ipv6
# resolver: two.test 0 ::1 127.0.0.1
# deviates: luasocket opens another socket without them
peer listen
peer:q refuse ipv6
c tcp                                       = object
c connect $q.host $q.port                   ! "connection refused"
c setoption "keepalive" true                = 1
c setoption "tcp-nodelay" true              = 1
c setoption "reuseaddr" true                = 1
c setoption "linger" {on=true timeout=3}    = 1
c setoption "tcp-keepcnt" 5                 = 1
c connect "two.test" $port                  = 1
c getpeername                               = "127.0.0.1" $port "inet"
c getoption "keepalive"                     = true
  or luasocket                              = false
  or luasocket stop
c getoption "tcp-nodelay"                   = true
c getoption "reuseaddr"                     = true
c getoption "linger"                        = {on=true timeout=3}
c getoption "tcp-keepcnt"                   = 5
