# Besides a buffered one, others that are ready come back too.
# proves: select.dirty.others select.order
# level: extended
# deviates: luasocket puts buffered ones first
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
peer:r listen
mod connect $r.host $r.port = object -> e
peer:r accept
peer send "x"
peer:q send "a\nb"
d receive                   = "a"
mod select [c d e] [e] 5    = [c d] [e] ~0s
  or luasocket              = [d c] [e] ~0s
mod select [d e c] nil 5    = [d c] [] ~0s
