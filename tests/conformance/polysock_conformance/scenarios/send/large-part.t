# A large part of a larger block goes out exactly.
# proves: send.ij send.large
peer listen
mod connect $host $port    = object -> c
peer accept
let $big                   = random(1100000)
start p peer expect $big[300001..1000000]
c send $big 300001 1000000 = 1000000
collect p
