# Bytes that arrived before the peer closed are still received after it.
# proves: receive.pastclose
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abc\ndef"
peer close
c receive 2             = "ab"
c receive               = "c"
c receive 3             = "def"
c receive 1             ! "closed" ""
