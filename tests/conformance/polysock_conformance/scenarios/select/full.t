# A client whose peer stalls is not writable once everything is full.
# proves: select.full
peer listen buffers 4096
c tcp4                              = object
c setoption "send-buffer-size" 8192 = 1
c connect $host $port               = 1
peer accept
c settimeout 0.1                    = 1
c send repeat("x",200000)           ! "timeout" <integer $n>
mod select nil [c] 0.1              = [] [] "timeout" ~0.1s
start p peer read $n
mod select nil [c] 3                = [] [c]
collect p
