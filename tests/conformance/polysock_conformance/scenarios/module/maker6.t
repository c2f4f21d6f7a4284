# tcp6 makes a master with a socket.
# proves: module.tcp6 kind.master.text
# needs: ipv6
c tcp6     = object
c tostring = <like "tcp{master}: 0x*">
c getfd    = <integer 0..>
