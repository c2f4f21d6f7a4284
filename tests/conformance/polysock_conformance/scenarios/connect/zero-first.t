# With timeout 0 only the first address of a name is tried.
# proves: connect.zero.first
# needs: ipv6
# resolver: two.test 0 ::1 127.0.0.1
peer listen ipv4
c tcp                            = object
c settimeout 0                   = 1
c connect "two.test" $port       ! "timeout" <0.5s
mod select nil [c] 3             = [] [c]
again c connect "two.test" $port ! "connection refused" <3s
