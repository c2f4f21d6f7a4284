# Connecting again tells that the peer refused, and the object is a master again.
# proves: connect.retry.refused connect.refused.master select.connect
# level: extended
# deviates: luasocket makes the object a client whatever came of connect
peer refuse
c tcp                     = object
c settimeout 0            = 1
c connect $host $port     ! "timeout" ~0s
mod select nil [c] 3      = [] [c]
c connect $host $port     ! "connection refused"
c tostring                = <like "tcp{master}: *">
  or luasocket stop
peer:q listen
c settimeout 3            = 1
c connect $q.host $q.port = 1
peer:q accept
