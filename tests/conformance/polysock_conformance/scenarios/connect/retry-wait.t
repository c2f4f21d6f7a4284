# Connecting again waits for the outcome of the connection on its way.
# proves: connect.retry.done
peer stall
c tcp                 = object
c settimeout 0.1      = 1
c connect $host $port ! "timeout"
c settimeout 4        = 1
peer unstall
c connect $host $port = 1 <4s
peer accept
c send "ab"           = 2
peer expect "ab"
