# Bytes are counted as they are received and sent.
# proves: stats.received stats.sent
peer listen
mod connect $host $port = object -> c
peer accept
c send "abcdef"         = 6
c send "abcdef" 2 3     = 3
peer send "12345\n6"
c receive 3             = "123"
c getstats              = 3 8 <number 0..5>
c receive               = "45"
c getstats              = 6 8 <number 0..5>
