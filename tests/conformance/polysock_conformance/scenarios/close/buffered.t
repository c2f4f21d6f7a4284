# close drops what was read ahead.
# proves: close.buffered
# level: extended
# deviates: luasocket keeps its read buffer beyond close
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\ntwo\n"
c receive               = "one"
c dirty                 = true
c close                 = 1
c dirty                 = false
  or luasocket          = true
c receive               ! "closed" ""
  or luasocket          = "two"
