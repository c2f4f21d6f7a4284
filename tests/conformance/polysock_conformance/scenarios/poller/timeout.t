# Nothing ready in time is the failure timeout, after that time; an empty poller waits, too.
# proves: poller.timeout
mod poller              = object -> p
p wait 0.3              ! "timeout" ~0.3s
p wait 0                ! "timeout" ~0s
peer listen
mod connect $host $port = object -> c
peer accept
p add c "r"             = 1
p wait 0.3              ! "timeout" ~0.3s
