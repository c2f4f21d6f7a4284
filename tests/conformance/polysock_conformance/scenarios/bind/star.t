# The address * binds every interface of the family.
# proves: address.star.bind
c tcp4        = object
c bind "*" 0  = 1
c getsockname = "0.0.0.0" <integer 1..65535 $p> "inet"
c listen      = 1
peer connect "127.0.0.1" $p
c accept      = object -> d
