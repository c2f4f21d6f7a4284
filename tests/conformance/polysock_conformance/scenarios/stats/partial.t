# A failed send counts what went out, a failed receive what came in.
# proves: stats.sent.partial stats.received
peer listen buffers 4096
c tcp4                              = object
c setoption "send-buffer-size" 8192 = 1
c connect $host $port               = 1
peer accept
c settimeout 0.05                   = 1
c send repeat("x",200000)           ! "timeout" <integer $n>
peer send "abc"
c receive 5                         ! "timeout" "abc"
c getstats                          = 3 $n <number 0..5>
