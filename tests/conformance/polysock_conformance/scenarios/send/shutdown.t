# Sending after the sending side was shut down fails with closed.
# proves: send.shutdown
peer listen
mod connect $host $port = object -> c
peer accept
c shutdown "send"       = 1
c send "abc"            ! "closed" 0
peer expect eof
