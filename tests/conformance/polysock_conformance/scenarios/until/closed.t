# On a closed object receiveuntil fails with closed and gives the prefix back.
# proves: until.closed
peer listen
mod connect $host $port = object -> c
peer accept
c close                 = 1
c receiveuntil ";"      ! "closed" ""
c receiveuntil ";" "ab" ! "closed" "ab"
