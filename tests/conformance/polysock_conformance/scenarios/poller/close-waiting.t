# Closing a poller ends a wait of another thread.
# proves: poller.close.thread
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "r"             = 1
start w  p wait
p close                 = 1
collect w               ! "closed" <1s
p wait 0                ! "closed"
