# A stalled peer makes send fail with timeout and the index of the last byte that went out;
# sending again from there loses and repeats nothing.
# proves: send.partial.timeout send.resume timeout.send
peer listen buffers 4096
c tcp4                              = object
c setoption "send-buffer-size" 8192 = 1
c connect $host $port               = 1
peer accept
let $big                            = random(200000)
c settimeout 0.1                    = 1
c send $big                         ! "timeout" <integer 1..199999 $n> ~0.1s
start p peer expect $big
c settimeout nil                    = 1
c send $big $n+1                    = 200000
collect p
