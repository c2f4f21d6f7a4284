# Too few bytes in time fails with timeout and those bytes, which as prefix complete.
# proves: receive.count.timeout receive.count.resume
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "abc"
c receive 5             ! "timeout" "abc" ~0.05s
c receive 5 "abc"       ! "timeout" "abc" ~0.05s
peer send "defg"
c receive 5 "abc"       = "abcde"
c receive 2             = "fg"
