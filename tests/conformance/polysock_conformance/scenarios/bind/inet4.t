# Binding an undecided object to an IPv4 address makes it IPv4.
# proves: module.tcp.choose4
c tcp                = object
c bind "127.0.0.1" 0 = 1
c getfamily          = "inet4"
c getfd              = <integer 0..>
