# connect obeys the deadline, which stays with the client.
# proves: deadline.kinds deadline.shared timeout.connect
peer stall
c tcp                 = object
clock
c setdeadline 0.2     = 1
c connect $host $port ! "timeout"
clock ~0.2s
c connect $host $port ! "timeout" ~0s
