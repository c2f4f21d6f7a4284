# On an object without a socket options fail and tell what to do; after bind they work.
# proves: option.undecided
# level: extended
# deviates: luasocket tells only that the call failed
c tcp                        = object
c setoption "keepalive" true ! <like "*tcp4*tcp6*">
  or luasocket               ! "setsockopt failed"
c getoption "keepalive"      ! <like "*tcp4*tcp6*">
  or luasocket               ! "getsockopt failed"
c getoption "error"          ! <like "*tcp4*tcp6*">
  or luasocket               ! "getsockopt failed"
c bind "127.0.0.1" 0         = 1
c setoption "keepalive" true = 1
c getoption "keepalive"      = true
