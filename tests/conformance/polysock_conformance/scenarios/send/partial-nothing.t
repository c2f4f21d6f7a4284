# When nothing goes out, the index of the failure is i - 1.
# proves: send.partial.nothing
peer listen buffers 4096
c tcp4                              = object
c setoption "send-buffer-size" 8192 = 1
c connect $host $port               = 1
peer accept
c settimeout 0.1                    = 1
c send repeat("x",200000)           ! "timeout" <integer>
c send repeat("x",200000)           ! "timeout" <integer>
c settimeout 0                      = 1
c send "abc"                        ! "timeout" 0
c send "abc" 2                      ! "timeout" 1
c send "abc" -1                     ! "timeout" 2
