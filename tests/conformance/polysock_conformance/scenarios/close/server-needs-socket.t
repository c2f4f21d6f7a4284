# Everything that needs the socket fails with closed on a closed server.
# proves: accept.closed getsockname.closed option.closed
# level: extended
# deviates: luasocket tells the system's trouble with descriptor -1
mod bind "127.0.0.1" 0       = object -> s
s getsockname                = "127.0.0.1" <integer $p> "inet"
s close                      = 1
s accept                     ! "closed"
s getsockname                ! "closed"
  or luasocket               ! "Bad file descriptor"
s getpeername                ! "closed"
  or luasocket               ! "Bad file descriptor"
s getoption "reuseaddr"      ! "closed"
  or luasocket               ! "getsockopt failed"
s setoption "reuseaddr" true ! "closed"
  or luasocket               ! "setsockopt failed"
