# Open objects have descriptors of their own; a closed one has -1.
# proves: getfd.open getfd.closed getfd.own
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept               = object -> c
s getfd                = <integer 0.. $a>
c getfd                = <integer 0.. $b>
c close                = 1
c getfd                = -1
s getfd                = $a
s close                = 1
s getfd                = -1
