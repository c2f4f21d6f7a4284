# After a failure that reads closed, error still tells which one it was, once.
# proves: option.error.number
# level: extended
# needs: linux
# deviates: luasocket forgets it
peer listen
mod connect $host $port = object -> c
peer accept
peer reset
c receive               ! "closed" ""
c getoption "error"     = "Connection reset by peer"
  or luasocket          = nil
c getoption "error"     = nil
