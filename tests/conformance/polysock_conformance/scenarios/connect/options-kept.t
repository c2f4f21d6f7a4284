# Options set before connect are kept by the connected client.
# proves: connect.options option.kinds
peer listen
c tcp4                         = object
c setoption "keepalive" true   = 1
c setoption "tcp-nodelay" true = 1
c connect $host $port          = 1
c getoption "keepalive"        = true
c getoption "tcp-nodelay"      = true
