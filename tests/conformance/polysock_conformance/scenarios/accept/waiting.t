# accept returns a connection that waits already, a client of its own.
# proves: accept.waiting kind.accepted getpeername.accepted
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept               = object -> c ~0s
c tostring             = <like "tcp{client}: 0x*">
peer sockname -> $ip $pp
c getpeername          = $ip $pp "inet"
c getsockname          = "127.0.0.1" $p "inet"
peer send "ab\n"
c receive              = "ab"
c send "cd"            = 2
peer expect "cd"
