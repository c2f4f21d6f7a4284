# The three numbers of keepalive read back what was set.
# proves: option.keepidle.roundtrip option.keepcnt.roundtrip option.keepintvl.roundtrip
# needs: linux
peer listen
mod connect $host $port        = object -> c
peer accept
c setoption "tcp-keepidle" 77  = 1
c setoption "tcp-keepcnt" 5    = 1
c setoption "tcp-keepintvl" 11 = 1
c getoption "tcp-keepidle"     = 77
c getoption "tcp-keepcnt"      = 5
c getoption "tcp-keepintvl"    = 11
