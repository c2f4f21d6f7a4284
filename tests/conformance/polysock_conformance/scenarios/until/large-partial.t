# A large piece that times out gives every byte and goes on rightly.
# proves: until.partial.timeout until.prefix.delimiter until.long
peer listen
mod connect $host $port    = object -> c
peer accept
let $piece                 = repeat("ab-",40000)
c settimeout 0.15          = 1
start p peer send $piece
c receiveuntil "--"        ! "timeout" $piece
collect p
peer send "-rest"
c receiveuntil "--" $piece = $piece[1..119999]
c receive 4                = "rest"
