# A call that waits on an object holds nothing up that does not receive.
# proves: together.duplex option.set.one getsockname.client getpeername.client
# needs: threads
peer listen
mod connect $host $port      = object -> c
peer accept
start r c receive 3
c setoption "keepalive" true = 1 ~0s
c getoption "keepalive"      = true ~0s
c getsockname                = "127.0.0.1" <integer> "inet" ~0s
c getpeername                = "127.0.0.1" $port "inet" ~0s
c getstats                   = 0 0 <number> ~0s
c send "ab"                  = 2 ~0s
c shutdown "send"            = 1 ~0s
peer expect "ab"
peer expect eof
peer send "xyz"
collect r                    = "xyz"
