# With a deadline and other limits the first to come ends the call.
# proves: deadline.with
peer listen
mod connect $host $port = object -> c
peer accept
c setdeadline 3         = 1
c settimeout 0.1        = 1
c receive               ! "timeout" "" ~0.1s
c settimeout nil        = 1
c settimeout 0.1 "t"    = 1
c receive               ! "timeout" "" ~0.1s
c settimeout 3          = 1
c settimeout 3 "t"      = 1
clock
c setdeadline 0.1       = 1
c receive               ! "timeout" ""
clock ~0.1s
