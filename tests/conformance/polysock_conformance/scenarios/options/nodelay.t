# tcp-nodelay reads back what was set, both ways.
# proves: option.nodelay.roundtrip
peer listen
mod connect $host $port         = object -> c
peer accept
c setoption "tcp-nodelay" true  = 1
c getoption "tcp-nodelay"       = true
c setoption "tcp-nodelay" false = 1
c getoption "tcp-nodelay"       = false
