# Another target drops the look-up of a name that is under way.
# proves: connect.other connect.other.name
# uses: name-limits
# resolver: slow.test 0.3 127.0.0.1
peer listen
peer:q listen
c tcp                         = object
c settimeout 0                = 1
c connect "slow.test" $port   ! "timeout" ~0s
c settimeout 3                = 1
c connect $q.host $q.port     = 1 <0.25s
peer:q accept
c getpeername                 = "127.0.0.1" $q.port "inet"
pause 0.5
c send "ab"                   = 2
peer:q expect "ab"
c connect "slow.test" $port   ! "already connected"
