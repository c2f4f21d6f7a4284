# Nobody listening is a failure; the object is still a master and connects elsewhere.
# proves: connect.refused connect.refused.master connect.refused.again error.refused
# level: extended
# deviates: luasocket makes the object a client whatever came of connect
peer refuse
c tcp                     = object
c connect $host $port     ! "connection refused"
c tostring                = <like "tcp{master}: *">
  or luasocket            = <like "tcp{client}: *">
peer:q listen
c connect $q.host $q.port = 1
peer:q accept
c tostring                = <like "tcp{client}: *">
c send "ab"               = 2
peer:q expect "ab"
