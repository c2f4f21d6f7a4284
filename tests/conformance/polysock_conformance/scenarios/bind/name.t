# A local address may be a host name.
# proves: address.name
c tcp4               = object
c bind "localhost" 0 = 1
c getsockname        = "127.0.0.1" <integer 1..65535> "inet"
