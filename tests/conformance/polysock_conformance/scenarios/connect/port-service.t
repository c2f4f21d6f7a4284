# A port may be the name of a service: nobody listens there, but it is known.
# proves: address.port.service
c tcp                           = object
c connect "127.0.0.1" "discard" ! "connection refused"
