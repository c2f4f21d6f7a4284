# A connection that the peer closed in the queue still connects, then reads the end.
# proves: connect.done receive.line.closed
peer listen
c tcp                 = object
c connect $host $port = 1
peer accept
peer close
c receive             ! "closed" ""
