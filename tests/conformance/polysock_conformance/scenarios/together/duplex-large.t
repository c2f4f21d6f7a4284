# Megabytes go both ways at once.
# proves: together.duplex
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(1100000)
start s c send $big
start r c receive 1100000
start p peer send $big
peer expect $big
collect s               = 1100000
collect r               = $big
collect p
