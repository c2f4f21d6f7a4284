# A closed object leaves by itself; one that is closed during a wait is not reported.
# proves: poller.closed poller.count
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "rw" "c"        = 1
m tcp4                  = object
p add m "r" "m"         = 1
p count                 = 2
c close                 = 1
p count                 = 1
m close                 = 1
p count                 = 0
p wait 0                ! "timeout"
