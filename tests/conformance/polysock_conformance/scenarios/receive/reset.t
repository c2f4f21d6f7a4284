# A connection that the peer resets reads closed.
# proves: receive.reset error.reset
peer listen
mod connect $host $port = object -> c
peer accept
peer reset
c receive               ! "closed" ""
c receive 5 "ab"        ! "closed" "ab"
c receive "*a"          ! "closed" ""
