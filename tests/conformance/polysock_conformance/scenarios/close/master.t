# A closed master can neither be bound nor connected nor made to listen.
# proves: bind.closed listen.closed connect.closed getsockname.closed getpeername.closed
# level: extended
# deviates: luasocket opens a new socket, and tells the system's trouble with descriptor -1
peer listen
c tcp4                = object
c close               = 1
c listen              ! "closed"
  or luasocket        ! "Bad file descriptor"
c getsockname         ! "closed"
  or luasocket        ! "Bad file descriptor"
c getpeername         ! "closed"
  or luasocket        ! "Bad file descriptor"
c bind "127.0.0.1" 0  ! "closed"
  or luasocket        = 1
c connect $host $port ! "closed"
  or luasocket stop
c tostring            = <like "tcp{master}: *">
