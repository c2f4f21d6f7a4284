# A foreign object that says it has bytes buffered is ready to receive, if that is what it was
# added for.
# proves: poller.foreign.dirty
peer listen
mod connect $host $port = object -> c
peer accept
c getfd                 = <integer $f>
f foreign $f true       = nil
mod poller              = object -> p
p add f "r"             = 1
p wait 5                = [[f "r"]] ~0s
p wait 5                = [[f "r"]] ~0s
p modify f "w"          = 1
p wait 5                = [[f "w"]] ~0s
p modify f "rw"         = 1
p wait 5                = [[f "rw"]] ~0s
p remove f              = 1
p wait 0                ! "timeout"
g foreign $f false      = nil
p add g "r"             = 1
p wait 0                ! "timeout"
