# A line beyond maxsize fails with oversized and exactly maxsize bytes; the rest follows.
# proves: receive.maxsize.line receive.maxsize.rest
peer listen
mod connect $host $port = object -> c
peer accept
peer send "hello world\nnext\n"
c receive "*l" "" 5     ! "oversized" "hello"
c receive "*l" "" 3     ! "oversized" " wo"
c receive "*l" "" 4     = "rld"
c receive               = "next"
