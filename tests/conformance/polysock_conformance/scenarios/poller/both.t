# A member added for both is reported with what it is ready for.
# proves: poller.both
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "rw"            = 1
p wait 5                = [[c "w"]] ~0s
peer send "x"
p modify c "r"          = 1
p wait 5                = [[c "r"]] <2s
p modify c "rw"         = 1
p wait 5                = [[c "rw"]] ~0s
