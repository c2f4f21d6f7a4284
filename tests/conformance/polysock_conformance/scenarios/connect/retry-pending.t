# Connecting again while the connection is on its way fails with timeout, time after time.
# proves: connect.retry.pending
peer stall
c tcp                 = object
c settimeout 0.1      = 1
c connect $host $port ! "timeout" ~0.1s
c connect $host $port ! "timeout" ~0.1s
c settimeout 0        = 1
c connect $host $port ! "timeout" ~0s
