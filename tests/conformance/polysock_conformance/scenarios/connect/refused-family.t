# After a refused connect of an undecided object it may connect by the other family.
# proves: connect.refused.again
# needs: ipv6
peer refuse
c tcp                   = object
c connect $host $port   ! "connection refused"
peer:q listen ipv6
c connect "::1" $q.port = 1
peer:q accept
