# A backlog that is negative, or larger than any, means the system's largest.
# proves: listen.backlog.any
c tcp4                                 = object
c bind "127.0.0.1" 0                   = 1
c listen -1                            = 1
c getsockname                          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
c accept                               = object -> x
d tcp4                                 = object
d bind "127.0.0.1" 0                   = 1
d listen 2147483648                    = 1
e tcp4                                 = object
e bind "127.0.0.1" 0                   = 1
e listen 9223372036854775807           = 1
e getsockname                          = "127.0.0.1" <integer $q> "inet"
peer connect "127.0.0.1" $q
e accept                               = object -> x
f tcp4                                 = object
f listen -9223372036854775808          = 1
mod bind "127.0.0.1" 0 -1              = object -> h
mod bind "127.0.0.1" 0 2147483648      = object -> h
mod bind "127.0.0.1" 0 -5000000000     = object -> h
