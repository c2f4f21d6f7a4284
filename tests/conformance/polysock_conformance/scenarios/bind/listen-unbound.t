# An object with a socket but no address listens where the system chooses.
# proves: listen.unbound
s tcp4        = object
s listen      = 1
s getsockname = "0.0.0.0" <integer 1..65535 $p> "inet"
peer connect "127.0.0.1" $p
s accept      = object -> c
