# With timeout 0 receive takes what is there and never waits.
# proves: receive.zero receive.zero.ready timeout.zero
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0          = 1
c receive               ! "timeout" "" ~0s
peer send "abc\nde"
c receive 2             = "ab"
c receive               = "c"
c receive 5             ! "timeout" "de" ~0s
c receive               ! "timeout" "" ~0s
