# A line of exactly maxsize bytes is a success, whether or not CR and LF are there yet.
# proves: receive.maxsize.line.exact receive.maxsize.line.cr
peer listen
mod connect $host $port = object -> c
peer accept
peer send "\rhe\rllo\r\r\n"
c receive "*l" "" 5     = "hello"
start r c receive "*l" "" 5
peer send "world" pause 0.05 "\r" pause 0.05 "\n"
collect r               = "world"
