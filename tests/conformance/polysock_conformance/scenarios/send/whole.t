# send answers the index of the last byte, and the peer gets exactly those bytes.
# proves: send.whole send.bytes send.unbuffered convention.bytes
peer listen
mod connect $host $port = object -> c
peer accept
c send "hello"          = 5
peer expect "hello"
c send "\0\r\n\xff"     = 4
peer expect "\0\r\n\xff"
