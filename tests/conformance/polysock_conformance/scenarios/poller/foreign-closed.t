# What has no descriptor cannot be added; a member whose descriptor was closed may be removed.
# proves: poller.foreign.closed
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
f foreign -1            = nil
p add f "r"             ! "closed"
p count                 = 0
c getfd                 = <integer $f>
g foreign $f            = nil
p add g "r"             = 1
c close                 = 1
p wait 0                ! "timeout"
p remove g              = 1
p count                 = 0
