# tcp-user-timeout is in seconds and reads back what was set, rounded up to the system's unit.
# proves: option.usertimeout.roundtrip
# needs: linux
peer listen
mod connect $host $port               = object -> c
peer accept
c getoption "tcp-user-timeout"        = 0.0
c setoption "tcp-user-timeout" 2.5    = 1
c getoption "tcp-user-timeout"        = 2.5
c setoption "tcp-user-timeout" 0.0004 = 1
c getoption "tcp-user-timeout"        = 0.001
c setoption "tcp-user-timeout" 30     = 1
c getoption "tcp-user-timeout"        = 30.0
c setoption "tcp-user-timeout" 0      = 1
c getoption "tcp-user-timeout"        = 0.0
