# The total limit holds for connect.
# proves: timeout.connect timeout.total.call
peer stall
c tcp                 = object
c settimeout 0.2 "t"  = 1
c connect $host $port ! "timeout" ~0.2s
