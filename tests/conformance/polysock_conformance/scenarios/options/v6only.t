# ipv6-v6only reads back what was set, both ways.
# proves: option.v6only.roundtrip
# level: extended
# needs: ipv6
# skip: luasocket cannot read ipv6-v6only
c tcp6                          = object
c getoption "ipv6-v6only"       = true
c setoption "ipv6-v6only" false = 1
c getoption "ipv6-v6only"       = false
c setoption "ipv6-v6only" true  = 1
c getoption "ipv6-v6only"       = true
