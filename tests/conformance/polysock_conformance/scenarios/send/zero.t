# With timeout 0 send gives the system what it takes and never waits.
# proves: send.zero timeout.zero
peer listen buffers 4096
c tcp4                              = object
c setoption "send-buffer-size" 8192 = 1
c connect $host $port               = 1
peer accept
c settimeout 0                      = 1
c send "abc"                        = 3 ~0s
peer expect "abc"
let $big                            = random(200000)
c send $big                         ! "timeout" <integer 1..199999 $n> ~0s
start p peer expect $big[1..$n]
collect p
