# Servers and masters can be detached too.
# proves: detach.fd fromfd.server
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s detach               = <integer 0.. $f>
mod fromfd $f "server" = object -> t
t tostring             = <like "tcp{server}: *">
peer connect "127.0.0.1" $p
t accept               = object -> c
m tcp4                 = object
m detach               = <integer 0.. $g>
mod fromfd $g "master" = object -> n
n bind "127.0.0.1" 0   = 1
