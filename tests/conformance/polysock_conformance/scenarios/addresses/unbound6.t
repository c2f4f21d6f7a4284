# The same in IPv6.
# proves: getsockname.unbound address.family.word
# needs: ipv6
c tcp6        = object
c getsockname = "::" 0 "inet6"
