# A large count that the close cuts short gives every byte that came.
# proves: receive.count.closed receive.count.large
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(100000)
start p peer send $big
start r c receive 200000 "pre"
collect p
peer close
collect r               ! "closed" "pre"+$big
