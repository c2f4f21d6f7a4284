# The words of the common failures, all in one place.
# proves: error.timeout error.closed error.refused error.inuse error.isconn error.reset
# level: extended
# deviates: luasocket asks the system, which says yes the first time
peer listen
mod connect $host $port     = object -> c
peer accept
mod bind $host $port        ! "address already in use"
c settimeout 0              = 1
c receive                   ! "timeout" ""
c connect $host $port       ! "already connected"
  or luasocket              = 1
peer reset
c receive                   ! "closed" ""
peer:q refuse
mod connect $q.host $q.port ! "connection refused"
