# Zero bytes from an open object is the empty byte string, at once.
# proves: receive.count.zero
# level: extended
# deviates: luasocket waits for a byte that it then does not take
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 1          = 1
c receive 0             = "" ~0s
  or luasocket          ! "timeout" "" ~1s
peer send "ab"
c receive 0             = ""
c receive 2             = "ab"
peer close
c receive 0             = ""
  or luasocket          ! "closed" ""
