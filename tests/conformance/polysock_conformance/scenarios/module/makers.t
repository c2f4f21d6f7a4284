# tcp, tcp4 and tcp6 make masters, each object of its own.
# proves: module.tcp module.tcp4 kind.master.text
c tcp      = object
c tostring = <like "tcp{master}: 0x*">
c getfd    = -1
c tcp4     = object
c tostring = <like "tcp{master}: 0x*">
c getfd    = <integer 0..>
