# A partial that ends in a part of the delimiter completes when it comes back as prefix.
# proves: until.prefix.delimiter
peer listen
mod connect $host $port              = object -> c
peer accept
c settimeout 0.03                    = 1
peer send "ab\r\n"
c receiveuntil "\r\n.\r\n"           ! "timeout" "ab\r\n"
peer send "."
c receiveuntil "\r\n.\r\n" "ab\r\n"  ! "timeout" "ab\r\n."
peer send "\r\nrest"
c receiveuntil "\r\n.\r\n" "ab\r\n." = "ab"
c receive 4                          = "rest"
