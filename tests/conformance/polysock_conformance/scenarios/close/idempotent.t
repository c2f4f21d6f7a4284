# Closing again answers 1 again, on every kind of object.
# proves: close.idempotent close.master convention.one
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept               = object -> c
m tcp                  = object
m close                = 1
m close                = 1
m tcp4                 = object
m close                = 1
m close                = 1
s close                = 1
s close                = 1
c close                = 1
c close                = 1
c close                = 1
