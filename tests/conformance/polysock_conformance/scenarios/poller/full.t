# A member whose peer does not read is not ready to send; it is when the peer has read.
# proves: poller.write poller.both
peer listen buffers 4096
mod connect $host $port             = object -> c
peer accept
mod poller                          = object -> p
c setoption "send-buffer-size" 4096 = 1
c settimeout 0.1                    = 1
c send repeat("x",10000000)         ! "timeout" <integer $n>
p add c "rw"                        = 1
p wait 0                            ! "timeout" ~0s
peer send "y"
p wait 5                            = [[c "r"]] <2s
peer read $n
p modify c "w"                      = 1
p wait 5                            = [[c "w"]] <2s
