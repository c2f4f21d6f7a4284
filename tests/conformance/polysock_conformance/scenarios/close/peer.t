# close answers 1 and the peer reads the end, after what was sent.
# proves: close.one close.peer
peer listen
mod connect $host $port = object -> c
peer accept
c send "abc"            = 3
c close                 = 1
peer expect "abc"
peer expect eof
