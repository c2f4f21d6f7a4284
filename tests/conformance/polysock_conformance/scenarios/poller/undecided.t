# An object that has no socket yet cannot be added; a closed one cannot, either.
# proves: poller.undecided poller.closed
mod poller  = object -> p
m tcp       = object
p add m "r" ! "no socket yet: bind or connect first, or use tcp4 or tcp6"
n tcp4      = object
p add n "r" = 1
n close     = 1
p add n "r" ! "closed"
p count     = 0
