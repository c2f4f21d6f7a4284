# The address * on an IPv6 object binds every IPv6 interface, and no IPv4 one.
# proves: address.star.bind module.tcp6.v6only
# needs: ipv6
c tcp6        = object
c bind "*" 0  = 1
c getsockname = "::" <integer 1..65535 $p> "inet6"
c listen      = 1
peer connect "::1" $p
c accept      = object -> d
peer:q connect "127.0.0.1" $p ! "refused"
