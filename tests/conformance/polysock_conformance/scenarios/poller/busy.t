# A second wait at the same time fails, and leaves the first alone.
# proves: poller.busy
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "r"             = 1
start w  p wait
p wait 0                ! "object is in use"
peer send "x"
collect w               = [[c "r"]] <2s
p wait 0                = [[c "r"]]
