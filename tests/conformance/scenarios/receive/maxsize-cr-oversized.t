# Among many CRs the byte that is too many still makes the line oversized.
# proves: receive.maxsize.line.cr receive.maxsize.line receive.maxsize.rest
# skip: luasocket has no maxsize
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a\r\r\r\rb\r\r\r\rc\r\rd\re\n"
c receive "*l" "" 3     ! "oversized" "abc"
c receive               = "de"
