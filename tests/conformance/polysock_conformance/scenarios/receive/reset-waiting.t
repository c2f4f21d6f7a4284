# A reset ends a call that waits, with what came before it.
# proves: receive.reset
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive 10
peer send "abc" pause 0.1
peer reset
collect r               ! "closed" "abc"
