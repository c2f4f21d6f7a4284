# CRs are dropped from a partial, and not looked for again in it as a prefix.
# proves: receive.line.partial.timeout receive.line.resume stats.received.dropped
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "\ra\r\rb\r"
c receive               ! "timeout" "ab"
c getstats              = 6 0 <number>
peer send "c\rd\r\n"
c receive "*l" "ab"     = "abcd"
c getstats              = 11 0 <number>
