# A reset in the middle of a large count loses nothing that was read.
# proves: receive.reset receive.count.large
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(50000)
start r c receive 200000
peer send $big pause 0.1
peer reset
collect r               ! "closed" $big
