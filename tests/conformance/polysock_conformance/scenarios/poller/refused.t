# A refused connect makes a member ready; the next attempt has another descriptor, and is a
# member still.
# proves: poller.connecting.again poller.connecting
peer refuse
peer:q listen
c tcp                     = object
c bind "127.0.0.1" 0      = 1
mod poller                = object -> p
p add c "w" "c"           = 1
c connect $host $port     ! "connection refused"
p count                   = 1
c connect $q.host $q.port = 1
peer:q accept
p wait 5                  = [["c" "w"]] ~0s
p modify c "r"            = 1
p wait 0                  ! "timeout"
peer:q send "x"
p wait 5                  = [["c" "r"]] <2s
