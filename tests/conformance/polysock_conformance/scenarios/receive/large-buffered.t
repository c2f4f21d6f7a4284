# What is buffered already is the begin of a large count.
# proves: receive.count.large receive.mixed
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(40000)
peer send "a\n"+$big
c receive               = "a"
c receive 39999         = $big[1..39999]
c receive 1             = $big[40000..]
c dirty                 = false
