# With timeout 0 a name that is still looked up makes progress, too, however often it is asked for.
# proves: connect.name.progress connect.zero
# uses: name-limits
# resolver: slow.test 0.5 127.0.0.1
peer listen
c tcp                             = object
c settimeout 0                    = 1
c connect "slow.test" $port       ! "timeout" ~0s
c connect "slow.test" $port       ! "timeout" ~0s
again c connect "slow.test" $port = 1 <3s
peer accept
c getpeername                     = "127.0.0.1" $port "inet"
