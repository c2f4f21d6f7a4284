# Megabytes go out whole while the peer reads.
# proves: send.large send.bytes
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(1200000)
start p peer expect $big
c send $big             = 1200000
collect p
