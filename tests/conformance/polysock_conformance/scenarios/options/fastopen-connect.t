# tcp-fastopen-connect reads back what was set, both ways.
# proves: option.fastopenconnect.roundtrip
# needs: linux
# skip: luasocket takes a number for it and cannot read it
c tcp4                                   = object
c getoption "tcp-fastopen-connect"       = false
c setoption "tcp-fastopen-connect" true  = 1
c getoption "tcp-fastopen-connect"       = true
c setoption "tcp-fastopen-connect" false = 1
c getoption "tcp-fastopen-connect"       = false
