# The total limit starts anew with every call.
# proves: timeout.total.fresh
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.2 "t"    = 1
c receive               ! "timeout" "" ~0.2s
c receive               ! "timeout" "" ~0.2s
