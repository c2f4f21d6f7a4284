# receiveany after a large send gives what is there piece by piece, nothing lost.
# proves: any.max any.there
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(5000)
peer send $big
c receiveany 4000       = $big[1..4000]
c pending               = 1000
c receiveany            = $big[4001..]
