# Small sends arrive in their order, without any flush.
# proves: send.bytes send.unbuffered
peer listen
mod connect $host $port = object -> c
peer accept
c send "a"              = 1
c send "b"              = 1
peer expect "ab"
c send "c"              = 1
peer expect "c"
