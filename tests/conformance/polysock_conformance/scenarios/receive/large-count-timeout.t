# A large count that times out gives every byte that came, and completes with it as prefix.
# proves: receive.count.timeout receive.count.resume receive.count.large
peer listen
mod connect $host $port         = object -> c
peer accept
let $big                        = random(100000)
c settimeout 0.1                = 1
start p peer send $big[1..60000]
c receive 100000                ! "timeout" $big[1..60000]
collect p
start p peer send $big[60001..]+"rest"
c settimeout nil                = 1
c receive 100000 $big[1..60000] = $big
collect p
c receive 4                     = "rest"
c getstats                      = 100004 0 <number>
