# Among CRs that are dropped the byte that is too many still makes the line oversized.
# proves: receive.maxsize.line.cr receive.maxsize.line receive.maxsize.rest
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a\r\r\rbcdefghi\r\r\rj\r\rk\rl\n"
c receive "*l" "" 10    ! "oversized" "abcdefghij"
c receive               = "kl"
