# Under maxsize, *L counts its CR and its LF.
# proves: receive.maxsize.rawline
peer listen
mod connect $host $port = object -> c
peer accept
peer send "hello\r\nhello\r\n"
c receive "*L" "" 7     = "hello\r\n"
c receive "*L" "" 6     ! "oversized" "hello\r"
c receive "*L" "" 6     = "\n"
