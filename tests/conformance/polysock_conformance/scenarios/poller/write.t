# A member added for writing is reported while it can send.
# proves: poller.write poller.again
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "w"             = 1
p wait 5                = [[c "w"]] ~0s
p wait 5                = [[c "w"]] ~0s
peer send "x"
p wait 5                = [[c "w"]] ~0s
