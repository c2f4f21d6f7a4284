# A member is added once; another poller does not take it; once removed, either may.
# proves: poller.already poller.elsewhere poller.remove poller.count
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
mod poller              = object -> q
p count                 = 0
p add c "w" "first"     = 1
p add c "w" "second"    ! "already added"
p add c "r"             ! "already added"
q add c "w"             ! "added to another poller"
p count                 = 1
q count                 = 0
p wait 0                = [["first" "w"]]
p remove c              = 1
p count                 = 0
q add c "w" "third"     = 1
q wait 0                = [["third" "w"]]
p add c "w"             ! "added to another poller"
q remove c              = 1
p add c "w"             = 1
