# Without a byte in time receiveany fails with timeout and an empty partial.
# proves: any.timeout
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
c receiveany            ! "timeout" "" ~0.05s
c settimeout 0          = 1
c receiveany 5          ! "timeout" "" ~0s
