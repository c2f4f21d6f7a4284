# Closing wakes a call that waits to receive, which fails with closed.
# proves: together.close
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive
c close                 = 1
collect r               ! "closed" "" <1s
