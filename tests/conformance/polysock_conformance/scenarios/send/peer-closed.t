# After the peer has closed, sending soon fails with closed.
# proves: send.closed.peer
peer listen
mod connect $host $port = object -> c
peer accept
peer close
c receive               ! "closed" ""
c send "abc"            = 3
pause 0.2
c receive               ! "closed" ""
c send "abc"            ! "closed" 0
