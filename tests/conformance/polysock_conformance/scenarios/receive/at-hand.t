# What is at hand is taken alike with timeout 0 and after a deadline, more than one read of it.
# proves: timeout.zero.hand deadline.passed
# needs: linux
let $big                            = random(150000)
mod bind "127.0.0.1" 0              = object -> s
s setoption "recv-buffer-size" 400000 = 1
s getsockname                       = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept                            = object -> c
peer send $big
c setdeadline 0                     = 1
c receive "*a"                      ! "timeout" $big ~0s
peer send $big
c receive 150000                    = $big ~0s
c setdeadline nil                   = 1
c settimeout 0                      = 1
peer send $big
c receive "*a"                      ! "timeout" $big ~0s
c settimeout nil                    = 1
c settimeout 0 "t"                  = 1
peer send $big
c receive 150001                    ! "timeout" $big ~0s
