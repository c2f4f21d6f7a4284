# send obeys the deadline.
# proves: deadline.shared timeout.send
peer listen buffers 4096
c tcp4                              = object
c setoption "send-buffer-size" 8192 = 1
c connect $host $port               = 1
peer accept
clock
c setdeadline 0.2                   = 1
c send repeat("x",200000)           ! "timeout" <integer 1..199999>
clock ~0.2s
c send repeat("x",200000)           ! "timeout" <integer> ~0s
