# The same with a limit of the whole call, and with a deadline that has passed.
# proves: connect.name.progress
# uses: name-limits
# resolver: slow.test 0.3 127.0.0.1
peer listen
c tcp                             = object
c settimeout 0.1 "t"              = 1
c connect "slow.test" $port       ! "timeout" ~0.1s
again c connect "slow.test" $port = 1 <3s
peer accept
d tcp                             = object
d setdeadline 0                   = 1
d connect "slow.test" $port       ! "timeout" <0.25s
again d connect "slow.test" $port = 1 <3s
d getpeername                     = "127.0.0.1" $port "inet"
