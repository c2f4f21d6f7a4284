# setfd -1 wakes a call that waits on the object, which fails with closed; the connection lives on.
# proves: setfd.wakes setfd.invalid
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
c getfd                 = <integer $f>
start r c receive
c setfd -1              = nil
collect r               ! "closed" "" <1s
c getfd                 = -1
mod fromfd $f "client"  = object -> d
peer send "ab\n"
d receive               = "ab"
d send "cd"             = 2
peer expect "cd"
