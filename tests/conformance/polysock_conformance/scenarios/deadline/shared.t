# A deadline is shared by the calls that follow it.
# proves: deadline.shared deadline.passed
peer listen
mod connect $host $port = object -> c
peer accept
clock
c setdeadline 0.4       = 1
start r c receive
pause 0.2
peer send "a\n"
collect r               = "a"
c receive               ! "timeout" ""
clock ~0.4s
c getdeadline           = 0.0
c receive               ! "timeout" "" ~0s
