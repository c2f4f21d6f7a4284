# A number far beyond any buffer is received exactly, buffered bytes first.
# proves: receive.count.large
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(1100000)
start p peer send "line\n"+$big+"rest\n"
c receive               = "line"
c receive 1100000       = $big
c receive               = "rest"
collect p
