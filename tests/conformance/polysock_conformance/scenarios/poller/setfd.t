# A member that gets another descriptor is watched there, and no longer at the old one.
# proves: poller.setfd
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
mod poller                  = object -> p
c getfd                     = <integer $f>
d getfd                     = <integer $g>
p add c "r" "c"             = 1
d setfd -1                  = nil
c setfd $g                  = nil
p count                     = 1
peer send "old"
p wait 0.2                  ! "timeout"
peer:q send "new"
p wait 5                    = [["c" "r"]] <2s
c receive 3                 = "new"
mod fromfd $f "client"      = object -> e
p add e "r" "e"             = 1
p wait 5                    = [["e" "r"]] <2s
e receive 3                 = "old"
