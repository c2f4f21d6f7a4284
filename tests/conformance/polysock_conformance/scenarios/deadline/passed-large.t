# After the deadline a large count that is all there is still received.
# proves: deadline.passed
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(30000)
peer send $big
c setdeadline 0         = 1
c receive 30000         = $big ~0s
c receive 30000         ! "timeout" "" ~0s
