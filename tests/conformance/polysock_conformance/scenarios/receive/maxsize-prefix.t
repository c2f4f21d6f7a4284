# The prefix counts towards maxsize.
# proves: receive.maxsize.prefix
peer listen
mod connect $host $port = object -> c
peer accept
peer send "cdefgh\n"
c receive "*l" "ab" 5   ! "oversized" "abcde"
c receive "*l" "ab" 5   = "abfgh"
