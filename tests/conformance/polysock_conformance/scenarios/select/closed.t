# Closed objects are ignored.
# proves: select.closed close.select
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
peer send "x"
d close                     = 1
mod select [d c] [d] 1      = [c] [] ~0s
c close                     = 1
mod select [c d] [c] 0.1    = [] [] "timeout" ~0.1s
