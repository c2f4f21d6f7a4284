# The prefix of *a stands in front of the result.
# proves: receive.all.prefix
peer listen
mod connect $host $port   = object -> c
peer accept
peer send "tail"
peer close
c receive "*a" "head\r\n" = "head\r\ntail"
