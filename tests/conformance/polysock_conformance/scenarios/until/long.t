# A piece much longer than any buffer, full of false starts, arrives whole.
# proves: until.long until.overlap
peer listen
mod connect $host $port = object -> c
peer accept
let $piece              = repeat("--x-",50000)
start p peer send $piece+"---+rest"
c receiveuntil "---+"   = $piece
c receive 4             = "rest"
collect p
