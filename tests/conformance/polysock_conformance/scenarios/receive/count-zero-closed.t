# Zero bytes from a closed object fails with closed.
# proves: receive.count.zero.closed
peer listen
mod connect $host $port = object -> c
peer accept
c close                 = 1
c receive 0             ! "closed" ""
