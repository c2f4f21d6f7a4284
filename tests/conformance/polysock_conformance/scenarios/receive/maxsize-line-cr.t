# A dropped CR does not count, so the byte after it is the one too many.
# proves: receive.maxsize.line.cr receive.maxsize.line
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a\rb\rc\rd\ne\n"
c receive "*l" "" 3     ! "oversized" "abc"
c receive "*l" "" 3     = "d"
c receive "*l" "" 3     = "e"
