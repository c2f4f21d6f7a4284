# After shutdown of receive the object reads the end and can still send.
# proves: shutdown.receive
peer listen
mod connect $host $port = object -> c
peer accept
c shutdown "receive"    = 1
c receive               ! "closed" ""
c send "abc"            = 3
peer expect "abc"
