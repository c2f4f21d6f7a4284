# The same from IPv6 to IPv4, and what only IPv6 has is no obstacle.
# proves: connect.options.family
# level: extended
# needs: ipv6
# deviates: luasocket opens another socket without them
peer refuse ipv6
peer:q listen
c tcp                                       = object
c connect $host $port                       ! "connection refused"
c setoption "keepalive" true                = 1
c setoption "tcp-nodelay" true              = 1
c setoption "reuseaddr" true                = 1
c setoption "linger" {on=true timeout=3}    = 1
c setoption "tcp-keepcnt" 5                 = 1
c setoption "ipv6-v6only" true              = 1
c connect $q.host $q.port                   = 1
c getfamily                                 = "inet4"
c getoption "keepalive"                     = true
  or luasocket                              = false
  or luasocket stop
c getoption "tcp-nodelay"                   = true
c getoption "reuseaddr"                     = true
c getoption "linger"                        = {on=true timeout=3}
c getoption "tcp-keepcnt"                   = 5
