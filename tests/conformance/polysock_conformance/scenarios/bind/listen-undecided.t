# An object without a socket cannot listen; it stays a master that can be bound.
# proves: listen.undecided
# level: extended
# deviates: luasocket tells the system's trouble with descriptor -1
s tcp                = object
s listen             ! <like "*bind*">
  or luasocket       ! "Bad file descriptor"
s tostring           = <like "tcp{master}: *">
s bind "127.0.0.1" 0 = 1
s listen             = 1
