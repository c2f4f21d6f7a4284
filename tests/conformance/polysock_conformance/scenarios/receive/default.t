# Without a pattern, or with nil, a line is received.
# proves: receive.default receive.nil
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\ntwo\nthree\n"
c receive               = "one"
c receive nil           = "two"
c receive nil "<"       = "<three"
