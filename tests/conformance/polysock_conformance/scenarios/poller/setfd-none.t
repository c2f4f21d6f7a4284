# A member whose descriptor is taken away leaves by itself.
# proves: poller.setfd.none
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
c getfd                 = <integer $f>
p add c "rw"            = 1
c setfd -1              = nil
p count                 = 0
p wait 0                ! "timeout"
p remove c              ! "not added"
c setfd $f              = nil
p wait 0                ! "timeout"
p add c "w"             = 1
p wait 0                = [[c "w"]]
