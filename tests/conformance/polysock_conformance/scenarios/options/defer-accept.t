# tcp-defer-accept can be set and read; the system rounds it up.
# proves: option.deferaccept.roundtrip
# needs: linux
# deviates: luasocket cannot read this option
s tcp4                           = object
s setoption "tcp-defer-accept" 3 = 1
s getoption "tcp-defer-accept"   = <integer 3..60>
  or luasocket                   X "unsupported option"
s setoption "tcp-defer-accept" 0 = 1
s getoption "tcp-defer-accept"   = 0
  or luasocket                   X "unsupported option"
