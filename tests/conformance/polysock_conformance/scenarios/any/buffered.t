# receiveany first returns what an earlier read left, without looking for more.
# proves: any.buffered
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a\nbc"
c receive               = "a"
c pending               = 2
peer send "de"
c receiveany            = "bc" ~0s
c receiveany            = "de"
