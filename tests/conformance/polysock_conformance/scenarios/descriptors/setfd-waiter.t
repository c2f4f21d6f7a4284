# A call that waits on the old descriptor never reads from the new one.
# proves: setfd.wakes setfd.move
# needs: threads
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
c getfd                     = <integer $f>
d getfd                     = <integer $g>
d setfd -1                  = nil
start r c receive
c setfd $g                  = nil
peer:q send "secret\n"
collect r                   ! "closed" "" <1s
c receive                   = "secret"
mod fromfd $f "client"      = object -> e
