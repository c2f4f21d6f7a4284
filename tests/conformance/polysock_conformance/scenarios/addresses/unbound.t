# An object that has a socket but no address tells the null address and port 0.
# proves: getsockname.unbound
c tcp4        = object
c getsockname = "0.0.0.0" 0 "inet"
