# The second target may be of the other family.
# proves: connect.other
# needs: ipv6
peer stall
peer:q listen ipv6
c tcp                     = object
c settimeout 0.1          = 1
c connect $host $port     ! "timeout" ~0.1s
c settimeout 3            = 1
c connect $q.host $q.port = 1 <1s
peer:q accept
c getpeername             = "::1" $q.port "inet6"
