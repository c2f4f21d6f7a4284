# A closed poller fails with closed; what was in it stays open.
# proves: poller.close poller.close.twice poller.count poller.getfd
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "w"             = 1
p close                 = 1
p close                 = 1
p add c "w"             ! "closed"
p modify c "w"          ! "closed"
p remove c              ! "closed"
p wait 0                ! "closed"
p wait                  ! "closed"
p count                 = 0
p getfd                 = -1
p wake                  = 1
mod poller              = object -> q
q add c "w"             = 1
q wait 0                = [[c "w"]]
c send "ab"             = 2
peer expect "ab"
