# Once told, the connection is there: connecting a third time fails with already connected.
# proves: connect.retry.done connect.already error.isconn
peer listen
c tcp                 = object
c settimeout 0        = 1
c connect $host $port ! "timeout"
mod select nil [c] 3  = [] [c]
c connect $host $port = 1
c connect $host $port ! "already connected"
