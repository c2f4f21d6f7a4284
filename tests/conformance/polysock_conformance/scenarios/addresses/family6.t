# getfamily tells the family that an object was made for, after close too.
# proves: getfamily.inet6 getfamily.closed module.tcp6 module.tcp6.v6only
# level: extended
# needs: ipv6
# deviates: luasocket cannot read ipv6-v6only
c tcp6                    = object
c getfamily               = "inet6"
c getfd                   = <integer 0..>
c getoption "ipv6-v6only" = true
  or luasocket            X "unsupported option"
c close                   = 1
c getfamily               = "inet6"
