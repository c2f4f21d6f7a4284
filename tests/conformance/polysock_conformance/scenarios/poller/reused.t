# A descriptor number that comes back for another object brings nothing of the old one.
# proves: poller.reused
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod poller                  = object -> p
c getfd                     = <integer $f>
p add c "r" "old"           = 1
peer send "x"
c close                     = 1
mod connect $q.host $q.port = object -> d
peer:q accept
d getfd                     = $f
p wait 0                    ! "timeout"
p count                     = 0
p add d "r" "new"           = 1
p wait 0                    ! "timeout"
peer:q send "y"
p wait 5                    = [["new" "r"]] <2s
