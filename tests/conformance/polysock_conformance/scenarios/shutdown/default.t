# Without a mode, or with nil, shutdown means both.
# proves: shutdown.default
peer listen
mod connect $host $port = object -> c
peer accept
c shutdown              = 1
peer expect eof
c send "abc"            ! "closed" 0
c receive               ! "closed" ""
c shutdown nil          = 1
