# An object without a socket has no address, and is IPv4 when asked for its family.
# proves: getsockname.undecided getfamily.undecided getfd.undecided module.tcp
# level: extended
# deviates: luasocket tells the system's trouble with descriptor -1
c tcp          = object
c tostring     = <like "tcp{master}: *">
c getfd        = -1
c getfamily    = "inet4"
c getsockname  ! <text 10..100>
  or luasocket ! "Bad file descriptor"
c getpeername  ! <text 10..100>
  or luasocket ! "Bad file descriptor"
