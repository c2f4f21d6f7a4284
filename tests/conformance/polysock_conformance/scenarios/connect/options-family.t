# Options set on an object of tcp go with it when it connects by the other family.
# proves: connect.options.family
# level: extended
# needs: ipv6
# deviates: luasocket opens another socket without them
peer refuse
peer:q listen ipv6
c tcp                                       = object
c connect $host $port                       ! "connection refused"
c setoption "keepalive" true                = 1
c setoption "tcp-nodelay" true              = 1
c setoption "reuseaddr" true                = 1
c setoption "linger" {on=true timeout=3}    = 1
c setoption "tcp-keepcnt" 5                 = 1
c connect $q.host $q.port                   = 1
c getfamily                                 = "inet6"
c getoption "keepalive"                     = true
  or luasocket                              = false
  or luasocket stop
c getoption "tcp-nodelay"                   = true
c getoption "reuseaddr"                     = true
c getoption "linger"                        = {on=true timeout=3}
c getoption "tcp-keepcnt"                   = 5
