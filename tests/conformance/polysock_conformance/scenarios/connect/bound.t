# A bound master connects, and leaves from where it is bound.
# proves: bind.connect kind.bound getsockname.client
peer listen
c tcp                 = object
c bind "127.0.0.1" 0  = 1
c tostring            = <like "tcp{master}: *">
c getsockname         = "127.0.0.1" <integer 1..65535 $p> "inet"
c connect $host $port = 1
peer accept
peer peername -> $ip $pp
c getsockname         = $ip $pp "inet"
c getsockname         = "127.0.0.1" $p "inet"
