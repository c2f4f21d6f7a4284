# The bytes before the delimiter are returned and the delimiter is consumed.
# proves: until.found until.many until.adjacent
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a;bc;;d;rest"
c receiveuntil ";"      = "a"
c receiveuntil ";"      = "bc"
c receiveuntil ";"      = ""
c receiveuntil ";"      = "d"
c receive 4             = "rest"
