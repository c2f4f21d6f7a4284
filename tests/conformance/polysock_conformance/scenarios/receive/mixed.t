# Patterns change from call to call on the same stream.
# proves: receive.mixed
peer listen
mod connect $host $port = object -> c
peer accept
peer send "POST\r\n5\r\n\r\nhello\r\nrest"
c receive               = "POST"
c receive "*l"          = "5"
c receive               = ""
c receive 5             = "hello"
c receive               = ""
peer close
c receive "*a"          = "rest"
