# keepalive is off at first and reads back what was set, both ways.
# proves: option.keepalive.default option.keepalive.roundtrip option.set.one
peer listen
mod connect $host $port       = object -> c
peer accept
c getoption "keepalive"       = false
c setoption "keepalive" true  = 1
c getoption "keepalive"       = true
c setoption "keepalive" false = 1
c getoption "keepalive"       = false
