# A wait longer than the block limit ends in timeout after that time, not early and not late.
# proves: timeout.block.fires timeout.early timeout.late error.timeout
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.2        = 1
c receive               ! "timeout" "" ~0.2s
c receive 5             ! "timeout" "" ~0.2s
c receive "*a"          ! "timeout" "" ~0.2s
