# Without a deadline getdeadline answers nil, on every kind of object.
# proves: deadline.none deadline.kinds deadline.left deadline.clear
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept               = object -> c
m tcp                  = object
m getdeadline          = nil
s getdeadline          = nil
c getdeadline          = nil
m setdeadline 10       = 1
m getdeadline          = <number 9..10>
s setdeadline 10.5     = 1
s getdeadline          = <number 9.5..10.5>
s setdeadline nil      = 1
s getdeadline          = nil
