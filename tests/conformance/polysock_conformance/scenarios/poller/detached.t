# A detached object leaves by itself, and its connection lives on.
# proves: poller.detached
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "rw" "old"      = 1
c detach                = <integer $f>
p count                 = 0
p wait 0                ! "timeout"
mod fromfd $f "client"  = object -> d
p add d "rw" "new"      = 1
p wait 0                = [["new" "w"]]
