# With ipv6-v6only off a server on every IPv6 interface takes IPv4 callers too.
# proves: option.v6only.roundtrip
# needs: ipv6 linux
s tcp6                          = object
s setoption "ipv6-v6only" false = 1
s bind "::" 0                   = 1
s listen                        = 1
s getsockname                   = "::" <integer $p> "inet6"
peer connect "127.0.0.1" $p
s accept                        = object -> c
c getpeername                   = "::ffff:127.0.0.1" <integer> "inet6"
