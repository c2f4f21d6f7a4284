# Seconds beyond the system's range are cut to its end or refused, never wrapped round.
# proves: option.usertimeout.roundtrip option.refused
# needs: linux
c tcp4                                   = object
c setoption "tcp-user-timeout" 3000000   = 1
c getoption "tcp-user-timeout"           = 2147483.647
c setoption "tcp-user-timeout" 1e300     = 1
c getoption "tcp-user-timeout"           = 2147483.647
c setoption "tcp-user-timeout" -3000000  ! "Invalid argument"
c setoption "tcp-user-timeout" -1e300    ! "Invalid argument"
c setoption "tcp-user-timeout" -1        ! "Invalid argument"
c getoption "tcp-user-timeout"           = 2147483.647
