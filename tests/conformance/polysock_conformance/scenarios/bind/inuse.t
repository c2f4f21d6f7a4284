# A place that is taken is a failure, after which the object binds elsewhere.
# proves: bind.inuse bind.failure.again error.inuse
peer listen
c tcp              = object
c bind $host $port ! "address already in use"
c tostring         = <like "tcp{master}: *">
c bind $host 0     = 1
c listen           = 1
