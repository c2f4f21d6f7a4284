# Shutting down the receiving side wakes a call that waits to receive.
# proves: together.close shutdown.receive
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive
c shutdown "receive"    = 1
collect r               ! "closed" "" <1s
