# The client has no limits; nil (None) and less than 0 are no limit of the call either.
# proves: module.connect.timeout.client
peer listen
mod connect $host $port nil nil nil 3   = object -> c
c gettimeout                            = -1.0 -1.0
c getdeadline                           = nil
mod connect $host $port nil nil nil nil = object -> c
mod connect $host $port nil nil nil -1  = object -> c
mod connect $host $port nil nil nil inf = object -> c
mod connect4 $host $port nil nil 3      = object -> c
c gettimeout                            = -1.0 -1.0
