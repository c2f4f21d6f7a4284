# A piece beyond maxsize fails with oversized and exactly maxsize bytes; the rest follows.
# proves: until.maxsize until.maxsize.rest
peer listen
mod connect $host $port    = object -> c
peer accept
peer send "hello world--x--"
c receiveuntil "--" "" 5   ! "oversized" "hello"
c receiveuntil "--" "ab" 6 ! "oversized" "ab wor"
c receiveuntil "--" "" 5   = "ld"
c receiveuntil "--"        = "x"
