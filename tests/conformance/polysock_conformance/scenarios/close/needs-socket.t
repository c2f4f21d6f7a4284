# Everything else on a closed client fails with closed.
# proves: getsockname.closed getpeername.closed option.closed connect.closed error.closed
# level: extended
# deviates: luasocket tells the system's trouble with descriptor -1, or opens a new socket
peer listen
mod connect $host $port      = object -> c
peer accept
c close                      = 1
c getsockname                ! "closed"
  or luasocket               ! "Bad file descriptor"
c getpeername                ! "closed"
  or luasocket               ! "Bad file descriptor"
c getoption "keepalive"      ! "closed"
  or luasocket               ! "getsockopt failed"
c setoption "keepalive" true ! "closed"
  or luasocket               ! "setsockopt failed"
c getoption "error"          ! "closed"
  or luasocket               ! "getsockopt failed"
c connect $host $port        ! "closed"
  or luasocket               = 1
