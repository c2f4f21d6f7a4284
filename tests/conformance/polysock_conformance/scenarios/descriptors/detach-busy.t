# detach while another call waits on the object is a failure, and the call goes on.
# proves: detach.busy
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive
c detach                ! "object is in use"
peer send "ab\n"
collect r               = "ab"
c detach                = <integer 0.. $f>
mod fromfd $f "client"  = object -> d
