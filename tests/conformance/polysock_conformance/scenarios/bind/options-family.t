# Options of an object of tcp go with it when a bind failed and the next one is of the other family.
# proves: connect.options.family bind.failure.again
# level: extended
# needs: ipv6
# deviates: luasocket opens another socket without them
peer listen ipv6
c tcp                          = object
c bind "::1" $port             ! "address already in use"
c setoption "keepalive" true   = 1
c setoption "reuseaddr" true   = 1
c bind "127.0.0.1" 0           = 1
c getfamily                    = "inet4"
c getoption "keepalive"        = true
  or luasocket                 = false
  or luasocket stop
c getoption "reuseaddr"        = true
