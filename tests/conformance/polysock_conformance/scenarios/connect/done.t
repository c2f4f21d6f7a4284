# connect answers 1, the object is a client now, and bytes pass both ways.
# proves: connect.done kind.change.connect module.tcp.choose4 address.numeric4 address.port.integer
peer listen
c tcp                       = object
c connect "127.0.0.1" $port = 1
peer accept
c tostring                  = <like "tcp{client}: 0x*">
c getfamily                 = "inet4"
c send "ab"                 = 2
peer expect "ab"
peer send "cd\n"
c receive                   = "cd"
