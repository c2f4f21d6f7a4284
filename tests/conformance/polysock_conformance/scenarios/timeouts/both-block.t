# With both limits set the block one ends a long wait before the total is over.
# proves: timeout.both.block
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.1 "b"    = 1
c settimeout 2 "t"      = 1
c receive               ! "timeout" "" ~0.1s
