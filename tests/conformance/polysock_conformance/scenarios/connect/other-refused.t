# What became of the first attempt does not count: the second target refuses, and that is told.
# proves: connect.other connect.other.outcome connect.refused.master
# level: extended
# deviates: luasocket makes the object a client whatever came of connect
peer stall
peer:q refuse
peer:r listen
c tcp                     = object
c settimeout 0.1          = 1
c connect $host $port     ! "timeout" ~0.1s
peer unstall
peer accept
c settimeout 3            = 1
c connect $q.host $q.port ! "connection refused" ~0s
c tostring                = <like "tcp{master}: *">
  or luasocket            = <like "tcp{client}: *">
c connect $r.host $r.port = 1
c getpeername             = "127.0.0.1" $r.port "inet"
