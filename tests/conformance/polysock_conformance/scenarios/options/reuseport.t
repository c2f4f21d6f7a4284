# reuseport reads back what was set, both ways, and lets two servers share a port.
# proves: option.reuseport.roundtrip
# needs: linux
s tcp4                        = object
s getoption "reuseport"       = false
s setoption "reuseport" true  = 1
s getoption "reuseport"       = true
s bind "127.0.0.1" 0          = 1
s listen                      = 1
s getsockname                 = "127.0.0.1" <integer $p> "inet"
t tcp4                        = object
t setoption "reuseport" true  = 1
t bind "127.0.0.1" $p         = 1
t setoption "reuseport" false = 1
t getoption "reuseport"       = false
