# A total limit shorter than the block one ends a single wait.
# proves: timeout.both.total
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 2 "b"      = 1
c settimeout 0.1 "t"    = 1
c receive               ! "timeout" "" ~0.1s
