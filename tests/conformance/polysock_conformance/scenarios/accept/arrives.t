# accept waits for a connection to come.
# proves: accept.arrives
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
start a s accept
pause 0.2
peer connect "127.0.0.1" $p
collect a              = object -> c ~0.2s
c send "ab"            = 2
peer expect "ab"
