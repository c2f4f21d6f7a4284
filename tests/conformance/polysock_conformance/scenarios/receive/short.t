# A pattern may be written without its asterisk.
# proves: receive.short
# level: extended
# deviates: luasocket takes patterns with their asterisk only
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a\r\nb\r\nc"
c receive "l"           = "a"
  or luasocket          X "invalid receive pattern"
c receive "L"           = "b\r\n"
  or luasocket stop
peer close
c receive "a"           = "c"
