# Bytes that trickle in do not move the deadline.
# proves: deadline.shared
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 1          = 1
clock
c setdeadline 0.5       = 1
start r c receive
start p peer send "a" pause 0.2 "b" pause 0.2 "c" pause 0.2 "d" pause 0.2 "e\n"
collect r               ! "timeout" <any>
clock ~0.5s
collect p
