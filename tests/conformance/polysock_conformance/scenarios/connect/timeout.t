# A connect without an answer in time fails with timeout, and the object is a client.
# proves: connect.timeout connect.timeout.client timeout.connect
peer stall
c tcp                 = object
c settimeout 0.2      = 1
c connect $host $port ! "timeout" ~0.2s
c tostring            = <like "tcp{client}: *">
c getfd               = <integer 0..>
