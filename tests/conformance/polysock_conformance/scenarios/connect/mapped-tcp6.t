# An object of tcp6 speaks IPv6 alone and cannot dial such an address.
# proves: connect.mapped.tcp6
# needs: ipv6
peer listen
c tcp6                             = object
c connect "::ffff:127.0.0.1" $port ! <text 5..100>
