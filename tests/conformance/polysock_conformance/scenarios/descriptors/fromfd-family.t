# An adopted descriptor keeps its family: an address of the other one is a failure.
# proves: fromfd.family
# needs: ipv6
m tcp4                 = object
m detach               = <integer 0.. $f>
mod fromfd $f "master" = object -> n
n getfamily            = "inet4"
n bind "::1" 0         ! <any>
n getfd                = $f
k tcp6                 = object
k detach               = <integer 0.. $g>
mod fromfd $g "master" = object -> l
l getfamily            = "inet6"
l bind "::1" 0         = 1
