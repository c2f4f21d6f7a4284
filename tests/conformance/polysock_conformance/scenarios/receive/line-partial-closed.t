# A close inside a line fails with closed and gives what came; then nothing is left.
# proves: receive.line.partial.closed receive.line.closed error.closed
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\nt\rwo"
peer close
c receive               = "one"
c receive               ! "closed" "two"
c receive               ! "closed" ""
