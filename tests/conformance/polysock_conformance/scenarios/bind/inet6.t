# Binding an undecided object to an IPv6 address makes it IPv6.
# proves: module.tcp.choose6 address.numeric6
# needs: ipv6
c tcp          = object
c bind "::1" 0 = 1
c getfamily    = "inet6"
c getsockname  = "::1" <integer 1..65535> "inet6"
