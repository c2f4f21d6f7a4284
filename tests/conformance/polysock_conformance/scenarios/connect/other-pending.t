# A first attempt that connects meanwhile is no success of the second one, which is still silent.
# proves: connect.other.outcome connect.retry.pending
peer stall
peer:q stall
c tcp                     = object
c settimeout 0.1          = 1
c connect $host $port     ! "timeout" ~0.1s
peer unstall
peer accept
c connect $q.host $q.port ! "timeout" ~0.1s
c connect $q.host $q.port ! "timeout" ~0.1s
c settimeout 4            = 1
peer:q unstall
c connect $q.host $q.port = 1 <4s
c getpeername             = "127.0.0.1" $q.port "inet"
