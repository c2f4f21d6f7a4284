# A large *a that times out gives every byte that came, and goes on with it as prefix.
# proves: receive.all.timeout receive.all.large
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(400000)
c settimeout 0.2        = 1
start p peer send "line\n"+$big[1..300000]
c receive               = "line"
c receive "*a"          ! "timeout" $big[1..300000]
collect p
c settimeout nil        = 1
start p peer send $big[300001..]
start r c receive "*a" $big[1..300000]
collect p
peer close
collect r               = $big
