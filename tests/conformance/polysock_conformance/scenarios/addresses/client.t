# A client tells both ends, which are what the peer sees; ports are integers.
# proves: getsockname.client getpeername.client address.family.word address.port.returned convention.integers
peer listen
mod connect $host $port = object -> c
peer accept
peer peername -> $ip $p
c getsockname           = $ip $p "inet"
peer sockname -> $ip $p
c getpeername           = $ip $p "inet"
