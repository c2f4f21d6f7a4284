# The number of a foreign object comes back as another file: that one may be added.
# proves: poller.foreign.replaced poller.reused
peer listen
mod connect $host $port     = object -> c
peer accept
c getfd                     = <integer $f>
f foreign $f                = nil
mod poller                  = object -> p
p add f "r" "old"           = 1
c close                     = 1
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
d getfd                     = $f
g foreign $f                = nil
p wait 0                    ! "timeout"
p add g "r" "new"           = 1
p count                     = 1
peer:q send "x"
p wait 5                    = [["new" "r"]] <2s
p remove g                  = 1
p add d "r" "own"           = 1
p wait 5                    = [["own" "r"]] <2s
