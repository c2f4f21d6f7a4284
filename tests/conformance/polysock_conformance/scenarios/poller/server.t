# A server is ready to receive when a connection waits, and until it is accepted.
# proves: poller.server poller.again
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
mod poller             = object -> p
p add s "r"            = 1
p wait 0               ! "timeout"
peer connect "127.0.0.1" $p
p wait 5               = [[s "r"]] <2s
p wait 0               = [[s "r"]]
s accept               = object -> d
p wait 0               ! "timeout"
d send "hi"            = 2
peer expect "hi"
