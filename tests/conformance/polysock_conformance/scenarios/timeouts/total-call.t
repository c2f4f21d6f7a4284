# The total limit counts the whole call, however the bytes trickle in.
# proves: timeout.total.call
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.5 "t"    = 1
start r c receive
start p peer send "a" pause 0.2 "b" pause 0.2 "c" pause 0.2 "d" pause 0.2 "e\n"
collect r               ! "timeout" <any> ~0.5s
collect p
