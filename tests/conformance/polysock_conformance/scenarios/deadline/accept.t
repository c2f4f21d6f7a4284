# A server obeys its deadline, and its clients do not inherit it.
# proves: deadline.kinds
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
clock
s setdeadline 0.1      = 1
s accept               ! "timeout"
clock ~0.1s
s accept               ! "timeout" ~0s
s setdeadline 10       = 1
peer connect "127.0.0.1" $p
s accept               = object -> c
c getdeadline          = nil
