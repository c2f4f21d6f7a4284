# Sending after the peer is gone fails with closed, and no signal ends the program.
# proves: send.closed.peer module.sigpipe
peer listen
mod connect $host $port = object -> c
peer accept
peer reset
mod select [c] nil 5    = [c] []
c send "abc"            ! "closed" 0
c send "abc"            ! "closed" 0
c send "abcdef" 3 5     ! "closed" 2
