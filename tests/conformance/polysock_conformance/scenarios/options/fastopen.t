# tcp-fastopen of a server reads back what was set.
# proves: option.fastopen.roundtrip
# needs: linux
# deviates: luasocket cannot read this option
mod bind "127.0.0.1" 0       = object -> s
s getsockname                = "127.0.0.1" <integer $p> "inet"
s setoption "tcp-fastopen" 9 = 1
s getoption "tcp-fastopen"   = 9
  or luasocket               X "unsupported option"
