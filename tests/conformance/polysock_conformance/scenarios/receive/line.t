# A line ends at LF; every CR in it is dropped; neither is returned.
# proves: receive.line.lf receive.line.cr receive.line.partial.timeout
peer listen
mod connect $host $port = object -> c
peer accept
peer send "\rhe\rl\r\rlo\r\nnext\r"
c receive "*l"          = "hello"
c settimeout 0.05       = 1
c receive "*l"          ! "timeout" "next" ~0.05s
