# The total limit holds for a send to a peer that reads slowly.
# proves: timeout.send timeout.total.call
peer listen buffers 4096
c tcp4                              = object
c setoption "send-buffer-size" 8192 = 1
c connect $host $port               = 1
peer accept
c settimeout 0.5 "t"                = 1
c send repeat("x",200000)           ! "timeout" <integer 1..199999> ~0.5s
