# With timeout 0 receiveuntil takes what is there and never waits.
# proves: until.partial.timeout timeout.zero
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0          = 1
peer send "a;b"
c receiveuntil ";"      = "a" ~0s
c receiveuntil ";"      ! "timeout" "b" ~0s
