# A server on IPv6 accepts clients whose family is IPv6.
# proves: accept.inet6
# needs: ipv6
mod bind "::1" 0 = object -> s
s getfamily      = "inet6"
s getsockname    = "::1" <integer $p> "inet6"
peer connect "::1" $p
s accept         = object -> c
c getfamily      = "inet6"
c getsockname    = "::1" $p "inet6"
c getpeername    = "::1" <integer> "inet6"
