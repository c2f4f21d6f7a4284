# The index of a failure counts from the start of the data, whatever i was.
# proves: send.partial.index
peer listen buffers 4096
c tcp4                              = object
c setoption "send-buffer-size" 8192 = 1
c connect $host $port               = 1
peer accept
let $big                            = random(200000)
c settimeout 0.1                    = 1
c send $big 1000                    ! "timeout" <integer 1001..199999 $n>
start p peer expect $big[1000..$n]
collect p
peer expect nothing 0.05
