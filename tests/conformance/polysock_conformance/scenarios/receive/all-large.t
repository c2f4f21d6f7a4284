# Megabytes received by *a are unchanged.
# proves: receive.all.large
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(1200000)
start p peer send $big
start r c receive "*a"
collect p
peer close
collect r               = $big
