# A client with bytes to read is readable; one without is not.
# proves: select.readable select.only
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
peer:q send "x"
mod select [c d] nil 1      = [d] [] ~0s
