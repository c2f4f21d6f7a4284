# The same for an integer beyond all types of the system.
# proves: listen.backlog.any
# skip: c no type holds it
# skip: luasocket cuts it to an int
c tcp4                                   = object
c bind "127.0.0.1" 0                     = 1
c listen 1000000000000000000000000000000 = 1
c getsockname                            = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
c accept                                 = object -> d
mod bind "127.0.0.1" 0 -1000000000000000000000000000000 = object -> s
