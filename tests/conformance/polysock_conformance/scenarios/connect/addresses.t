# The addresses of a name are tried in order until one answers.
# proves: connect.addresses
# needs: ipv6
# resolver: two.test 0 ::1 127.0.0.1
peer listen ipv4
c tcp                      = object
c connect "two.test" $port = 1
peer accept
c getpeername              = "127.0.0.1" $port "inet"
