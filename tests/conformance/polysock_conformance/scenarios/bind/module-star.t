# The function bind with * accepts on every IPv4 interface.
# proves: module.bind.star
mod bind "*" 0 = object -> s
s getsockname  = "0.0.0.0" <integer 1..65535 $p> "inet"
peer connect "127.0.0.1" $p
s accept       = object -> c
