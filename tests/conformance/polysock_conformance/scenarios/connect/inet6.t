# connect to an IPv6 address works and the family is told as IPv6.
# proves: connect.inet6 address.numeric6 module.tcp.choose6 getfamily.inet6
# needs: ipv6
peer listen ipv6
c tcp                 = object
c connect "::1" $port = 1
peer accept
c getfamily           = "inet6"
c getpeername         = "::1" $port "inet6"
c send "ab"           = 2
peer expect "ab"
peer send "cd\n"
c receive             = "cd"
