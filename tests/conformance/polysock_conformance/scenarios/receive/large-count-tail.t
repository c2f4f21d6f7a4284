# The tail of a large count that comes with bytes behind it ends where it should.
# proves: receive.count.large receive.count.fragments
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(60000)
start r c receive 59000
peer send $big[1..50000] pause 0.05 $big[50001..60000]
collect r               = $big[1..59000]
c receive 1000          = $big[59001..]
