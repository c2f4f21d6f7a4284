# A foreign object with a descriptor is a member like any other.
# proves: poller.foreign
peer listen
mod connect $host $port = object -> c
peer accept
c getfd                 = <integer $f>
f foreign $f            = nil
mod poller              = object -> p
p add f "r"             = 1
p add f "r"             ! "already added"
p count                 = 1
p wait 0                ! "timeout"
peer send "x"
p wait 5                = [[f "r"]] <2s
p modify f "rw" "token" = 1
p wait 0                = [["token" "rw"]]
p remove f              = 1
p remove f              ! "not added"
p wait 0                ! "timeout"
p add f "w"             = 1
p wait 0                = [[f "w"]]
