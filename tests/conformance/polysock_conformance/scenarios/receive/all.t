# The pattern *a receives every byte until the peer closes, ends of lines included.
# proves: receive.all receive.all.raw receive.all.twice
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive "*a"
peer send "one\r\n" pause 0.02 "\0two\r" pause 0.02 "\n\n"
peer close
collect r               = "one\r\n\0two\r\n\n"
c receive "*a"          ! "closed" ""
