# After shutdown of both neither way is open.
# proves: shutdown.both
peer listen
mod connect $host $port = object -> c
peer accept
c shutdown "both"       = 1
peer expect eof
c receive               ! "closed" ""
c send "abc"            ! "closed" 0
