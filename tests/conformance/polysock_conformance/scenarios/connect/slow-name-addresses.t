# All addresses of a name that was looked up between two calls are tried.
# proves: connect.name.progress connect.addresses
# uses: name-limits
# needs: ipv6
# resolver: slow.test 0.3 ::1 127.0.0.1
peer listen
c tcp                             = object
c settimeout 0.1                  = 1
c connect "slow.test" $port       ! "timeout" ~0.1s
again c connect "slow.test" $port = 1 <3s
c getpeername                     = "127.0.0.1" $port "inet"
