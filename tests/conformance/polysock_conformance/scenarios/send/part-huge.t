# Indices count bytes of a large block exactly at its ends.
# proves: send.ij send.negative.i
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(300000)
start p peer expect $big[2..299999]+$big[300000..]+$big[1..1]
c send $big 2 -2        = 299999
c send $big -1          = 300000
c send $big 1 1         = 1
collect p
