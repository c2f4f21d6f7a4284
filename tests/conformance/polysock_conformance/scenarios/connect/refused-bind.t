# After a refused connect the same object can be bound and listen.
# proves: connect.refused.bind
# level: extended
# deviates: luasocket makes the object a client whatever came of connect
peer refuse
c tcp4                = object
c connect $host $port ! "connection refused"
c bind "127.0.0.1" 0  = 1
  or luasocket        X "tcp{master} expected"
c listen              = 1
  or luasocket stop
c getsockname         = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
c accept              = object -> d
