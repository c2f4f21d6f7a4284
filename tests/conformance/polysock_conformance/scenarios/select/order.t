# Ready ones come back in the order given.
# proves: select.order
# level: extended
# deviates: luasocket returns them in the order of their descriptors
peer listen
mod connect $host $port      = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port  = object -> d
peer:q accept
peer:r listen
mod connect $r.host $r.port  = object -> e
peer:r accept
peer send "x"
peer:q send "x"
peer:r send "x"
mod select [c d e] nil 1     = [c d e] []
mod select [e c d] [d e c] 1 = [e c d] [d e c]
  or luasocket               = [c d e] [c d e]
