# A close before the end of a line gives closed, also at exactly maxsize bytes.
# proves: receive.maxsize.line.exact receive.line.partial.closed
peer listen
mod connect $host $port = object -> c
peer accept
peer send "hello"
peer close
c receive "*l" "" 5     ! "closed" "hello"
