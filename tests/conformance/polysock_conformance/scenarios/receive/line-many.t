# Several lines of one packet come one per call, in order.
# proves: receive.line.many
peer listen
mod connect $host $port = object -> c
peer accept
peer send "1\n22\r\n333\n4444\n"
c receive               = "1"
c receive               = "22"
c receive               = "333"
c receive               = "4444"
