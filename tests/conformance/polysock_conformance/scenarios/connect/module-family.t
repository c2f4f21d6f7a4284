# connect with a family uses that family only.
# proves: module.connect.family
# needs: ipv6
# deviates: luasocket heeds the family for the local address alone
peer listen dual
mod connect "127.0.0.1" $port nil nil "inet" = object -> c
c getfamily                                  = "inet4"
mod connect "::1" $port nil nil "inet6"      = object -> c
c getfamily                                  = "inet6"
mod connect "::1" $port nil nil "unspec"     = object -> c
c getfamily                                  = "inet6"
mod connect "::1" $port nil nil "inet"       ! <any>
  or luasocket                               = object
mod connect "127.0.0.1" $port nil nil "inet6" ! <any>
  or luasocket                               = object
