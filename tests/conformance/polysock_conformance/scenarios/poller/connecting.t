# A connect on its way: ready to send when the outcome is there.
# proves: poller.connecting
peer stall
c tcp4                = object
c settimeout 0        = 1
c connect $host $port ! "timeout"
mod poller            = object -> p
p add c "rw"          = 1
p wait 0.1            ! "timeout"
peer unstall
p wait 5              = [[c "w"]] <4s
c connect $host $port = 1
p wait 5              = [[c "w"]] ~0s
