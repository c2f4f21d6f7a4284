# connect4 and connect6 are connect with the family fixed.
# proves: module.connect4 module.connect6
# needs: ipv6
# deviates: luasocket heeds the family for the local address alone
peer listen dual
mod connect4 "127.0.0.1" $port = object -> c
c getfamily                    = "inet4"
mod connect6 "::1" $port       = object -> c
c getfamily                    = "inet6"
mod connect4 "::1" $port       ! <any>
  or luasocket                 = object
mod connect6 "127.0.0.1" $port ! <any>
  or luasocket                 = object
