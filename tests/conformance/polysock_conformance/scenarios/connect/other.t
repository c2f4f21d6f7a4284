# After a timeout another target drops the first attempt, and the peer is the second one.
# proves: connect.other
peer stall
peer:q listen
c tcp                     = object
c settimeout 0.1          = 1
c connect $host $port     ! "timeout" ~0.1s
c settimeout 3            = 1
c connect $q.host $q.port = 1 <1s
peer:q accept
c getpeername             = "127.0.0.1" $q.port "inet"
c send "ab"               = 2
peer:q expect "ab"
