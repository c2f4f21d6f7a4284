# Many small packets make one large result.
# proves: receive.count.fragments receive.line.fragments
peer listen
mod connect $host $port = object -> c
peer accept
let $part               = random(700)
start r c receive 5600
peer send $part $part pause 0.02 $part $part $part pause 0.02 $part $part $part
collect r               = $part+$part+$part+$part+$part+$part+$part+$part
