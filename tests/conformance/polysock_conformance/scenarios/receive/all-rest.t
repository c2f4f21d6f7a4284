# What a line left in the buffer is where *a begins.
# proves: receive.all.rest receive.pastclose
peer listen
mod connect $host $port = object -> c
peer accept
peer send "line\nrest\r\nof it"
peer close
c receive               = "line"
c receive "*a"          = "rest\r\nof it"
