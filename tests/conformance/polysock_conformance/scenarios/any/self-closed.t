# On a closed object receiveany fails with closed.
# proves: any.self.closed
peer listen
mod connect $host $port = object -> c
peer accept
c close                 = 1
c receiveany            ! "closed" ""
