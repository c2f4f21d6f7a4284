# A result shorter than maxsize is not touched by it.
# proves: receive.maxsize.under receive.maxsize.count
peer listen
mod connect $host $port = object -> c
peer accept
peer send "hello\r\nhello\r\n12345678tail"
c receive "*l" "" 100   = "hello"
c receive "*L" nil 100  = "hello\r\n"
c receive 4 "" 100      = "1234"
c receive 4 "" 4        = "5678"
peer close
c receive "*a" "" 100   = "tail"
