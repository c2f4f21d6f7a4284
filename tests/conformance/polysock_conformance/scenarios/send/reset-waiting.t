# A reset ends a send that waits, with closed and the index reached.
# proves: send.closed.peer send.partial.index
peer listen buffers 4096
mod connect $host $port = object -> c
peer accept
start s c send repeat("x",8000000)
peer reset
collect s               ! "closed" <integer 1..7999999>
