# With both limits set the total one ends a call although every wait was short.
# proves: timeout.both.total
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.8 "b"    = 1
c settimeout 0.5 "t"    = 1
start r c receive
start p peer send "a" pause 0.2 "b" pause 0.2 "c" pause 0.2 "d" pause 0.2 "e\n"
collect r               ! "timeout" <any> ~0.5s
collect p
