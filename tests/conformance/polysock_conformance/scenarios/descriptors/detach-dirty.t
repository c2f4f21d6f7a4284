# detach with bytes in the read buffer is a failure, and nothing is lost.
# proves: detach.dirty
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a\nbc"
c receive               = "a"
c detach                ! <text 5..100>
c receive 2             = "bc"
c detach                = <integer 0.. $f>
mod fromfd $f "client"  = object -> c
