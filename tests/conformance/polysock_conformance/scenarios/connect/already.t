# connect on a connected client fails with already connected, and the connection lives on.
# proves: connect.already error.isconn
# level: extended
# deviates: luasocket asks the system, which says yes the first time
peer listen
mod connect $host $port = object -> c
peer accept
c connect $host $port   ! "already connected"
  or luasocket          = 1
c connect $host $port   ! "already connected"
c send "ab"             = 2
peer expect "ab"
