# With timeout 0 connect never waits.
# proves: connect.zero timeout.zero
peer stall
c tcp                 = object
c settimeout 0        = 1
c connect $host $port ! "timeout" ~0s
