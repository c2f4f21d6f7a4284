# A count beyond 32 bits is not cut: what comes is less than that.
# proves: receive.count.beyond
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05           = 1
peer send "abc"
c receive 4294967299        ! "timeout" "abc" ~0.05s
c receive 4294967299 "abc"  ! "timeout" "abc" ~0.05s
c receive 3000000000 "abc"  ! "timeout" "abc" ~0.05s
peer send "def"
peer close
c receive 4294967299        ! "closed" "def"
