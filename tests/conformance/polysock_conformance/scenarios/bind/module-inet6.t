# The function bind takes IPv6 addresses.
# proves: module.bind address.numeric6 getfamily.inet6
# needs: ipv6
mod bind "::1" 0 = object -> s
s getfamily      = "inet6"
s getsockname    = "::1" <integer 1..65535 $p> "inet6"
peer connect "::1" $p
s accept         = object -> c
