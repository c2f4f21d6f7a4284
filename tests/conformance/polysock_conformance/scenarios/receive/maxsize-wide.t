# A maxsize beyond 32 bits is not cut: it bounds nothing here.
# proves: receive.maxsize.under until.maxsize.exact any.max lines.maxsize
peer listen
mod connect $host $port                     = object -> c
peer accept
peer send "0123456789\nabcdefgh\nABCDEFGH;xyz"
c receive "*l" nil 4294967301               = "0123456789"
c receive 9 "" 4294967301                   = "abcdefgh\n"
c receiveuntil ";" "" 4294967301            = "ABCDEFGH"
c receiveany 4294967297                     = "xyz"
peer send "0123456789\n"
c lines "*l" 4294967301                     = object -> it
it next                                     = "0123456789"
