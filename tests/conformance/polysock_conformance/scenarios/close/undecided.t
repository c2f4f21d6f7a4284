# A closed object whose family was never known stays closed too.
# proves: bind.closed listen.closed connect.closed
# level: extended
# deviates: luasocket opens a new socket
peer listen
c tcp                        = object
c close                      = 1
c listen                     ! "closed"
  or luasocket               ! "Bad file descriptor"
c bind "127.0.0.1" 0         ! "closed"
  or luasocket stop
c connect $host $port        ! "closed"
c setoption "keepalive" true ! "closed"
