# Foreign objects with one descriptor are one member: whichever is named, it is that of the
# object that was added.
# proves: poller.foreign
peer listen
mod connect $host $port = object -> c
peer accept
c getfd                 = <integer $f>
f foreign $f            = nil
g foreign $f            = nil
mod poller              = object -> p
p add f "r" "token"     = 1
p add g "r"             ! "already added"
p modify g "rw"         = 1
p wait 5                = [["token" "w"]]
p modify g "w" "new"    = 1
p wait 5                = [["new" "w"]]
p modify f "w" "newer"  = 1
p wait 5                = [["newer" "w"]]
p remove g              = 1
p count                 = 0
p remove f              ! "not added"
p add g "w"             = 1
p wait 5                = [[g "w"]]
p remove f              = 1
p count                 = 0
