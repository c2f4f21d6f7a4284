# A member is reported when bytes are there, again and again until they are read.
# proves: module.poller poller.read poller.again poller.zero poller.timeout
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "r"             = 1
p wait 0                ! "timeout" ~0s
peer send "one\ntwo"
p wait 5                = [[c "r"]] <2s
p wait 0                = [[c "r"]]
c receive               = "one"
p wait 0                = [[c "r"]]
c receive 3             = "two"
p wait 0                ! "timeout" ~0s
