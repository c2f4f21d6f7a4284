# After the deadline a call never waits, yet takes what is there.
# proves: deadline.passed
peer listen
mod connect $host $port = object -> c
peer accept
c setdeadline 0         = 1
c receive               ! "timeout" "" ~0s
peer send "a\nbc"
c receive               = "a" ~0s
c receive               ! "timeout" "bc" ~0s
c send "x"              = 1
peer expect "x"
c setdeadline -5        = 1
c receive               ! "timeout" "" ~0s
c getdeadline           = 0.0
