# The addresses of a name are tried in order until one answers.
# proves: connect.addresses
# needs: dualname
peer listen ipv4
c tcp                       = object
c connect "localhost" $port = 1
peer accept
c getpeername               = "127.0.0.1" $port "inet"
