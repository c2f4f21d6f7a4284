# detach returns the descriptor and leaves the object closed; the connection lives on.
# proves: detach.fd detach.alive fromfd.client
peer listen
mod connect $host $port = object -> c
peer accept
c getfd                 = <integer $f>
c detach                = $f
c getfd                 = -1
c receive               ! "closed" ""
c close                 = 1
mod fromfd $f "client"  = object -> d
d tostring              = <like "tcp{client}: *">
d getfd                 = $f
peer send "ab\n"
d receive               = "ab"
d send "cd"             = 2
peer expect "cd"
d getpeername           = $host $port "inet"
d close                 = 1
peer expect eof
