# A large prefix and a larger count.
# proves: receive.count.prefix receive.count.large
peer listen
mod connect $host $port         = object -> c
peer accept
let $big                        = random(150000)
start p peer send $big[50001..]+"rest"
c receive 150000 $big[1..50000] = $big
c receive 4                     = "rest"
collect p
