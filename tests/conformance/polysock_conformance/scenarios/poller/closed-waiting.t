# A member that another thread closes leaves a poller that waits; the wait goes on.
# proves: poller.closed
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "r" "c"         = 1
start w  p wait 0.5
c close                 = 1
collect w               ! "timeout" ~0.5s
p count                 = 0
