# A name that takes longer than the limit: connecting again goes on, and connects in the end.
# proves: connect.name.progress
# uses: name-limits
# resolver: slow.test 0.3 127.0.0.1
peer listen
c tcp                             = object
c settimeout 0.1                  = 1
c connect "slow.test" $port       ! "timeout" ~0.1s
again c connect "slow.test" $port = 1 <3s
peer accept
c getpeername                     = "127.0.0.1" $port "inet"
c connect "slow.test" $port       ! "already connected"
c send "ab"                       = 2
peer expect "ab"
