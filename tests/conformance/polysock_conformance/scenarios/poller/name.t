# While a name is looked up, a member is ready to send when the answer is there, and for nothing
# before.
# proves: poller.name poller.connecting.again
# resolver: slow.test 1 127.0.0.1
peer listen
c tcp                             = object
c settimeout 0                    = 1
c connect "slow.test" $port       ! "timeout" ~0s
mod poller                        = object -> p
p add c "rw" "c"                  = 1
p count                           = 1
p wait 0                          ! "timeout" ~0s
p wait 0.1                        ! "timeout" ~0.1s
p wait 4                          = [["c" "w"]] <3s
again c connect "slow.test" $port = 1 <3s
peer accept
p wait 5                          = [["c" "w"]] <2s
c send "ab"                       = 2
peer expect "ab"
p modify c "r"                    = 1
peer send "cd"
p wait 5                          = [["c" "r"]] <2s
