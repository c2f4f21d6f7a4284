# bind answers 1 and the object keeps the address; it is a master still.
# proves: bind.done kind.bound getsockname.master.bound address.port.zero
c tcp                = object
c bind "127.0.0.1" 0 = 1
c getsockname        = "127.0.0.1" <integer 1..65535> "inet"
c tostring           = <like "tcp{master}: *">
