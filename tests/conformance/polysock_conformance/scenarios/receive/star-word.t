# Behind the asterisk only the first letter counts.
# proves: receive.letter
# level: extended
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a\r\nb"
c receive "*line"       = "a"
peer close
c receive "*all"        = "b"
