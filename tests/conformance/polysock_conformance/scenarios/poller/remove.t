# A removed object is not reported any more; removing and modifying what is no member fails.
# proves: poller.remove poller.notadded
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p remove c              ! "not added"
p modify c "r"          ! "not added"
p add c "rw"            = 1
p remove c              = 1
p wait 0                ! "timeout"
p remove c              ! "not added"
p modify c "w" 5        ! "not added"
p add c "rw" "again"    = 1
p wait 0                = [["again" "w"]]
c close                 = 1
p remove c              ! "not added"
p modify c "w"          ! "not added"
