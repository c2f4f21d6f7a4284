# Closing wakes a call that waits for its connection, which fails with closed.
# proves: together.close
# needs: threads
peer stall
c tcp                 = object
start r c connect $host $port
c close               = 1
collect r             ! "closed" <1s
c getfd               = -1
