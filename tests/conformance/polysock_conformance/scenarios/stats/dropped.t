# Bytes that a line drops are counted as received.
# proves: stats.received.dropped
peer listen
mod connect $host $port = object -> c
peer accept
peer send "\ra\rb\r\n"
c receive               = "ab"
c getstats              = 6 0 <number 0..5>
