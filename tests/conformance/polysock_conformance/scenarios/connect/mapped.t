# An object of tcp can dial an IPv4 address that is written as IPv6, as a peer of a dual server has.
# proves: connect.mapped
# level: extended
# needs: ipv6
# deviates: luasocket makes the socket speak IPv6 alone
peer listen
c tcp                              = object
c connect "::ffff:127.0.0.1" $port = 1
  or luasocket                     ! <text>
  or luasocket stop
peer accept
c send "ab"                        = 2
peer expect "ab"
c getpeername                      = <like "*127.0.0.1"> $port <text>
mod connect "::ffff:127.0.0.1" $port = object -> d
peer accept
peer send "cd\n"
d receive                          = "cd"
