# A changed limit holds from the next call on.
# proves: timeout.change
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.3        = 1
c receive               ! "timeout" "" ~0.3s
c settimeout 0.05       = 1
c receive               ! "timeout" "" <0.25s
c settimeout 0          = 1
c receive               ! "timeout" "" ~0s
