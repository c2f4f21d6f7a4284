# After shutdown of send the peer reads the end, and its bytes still come in.
# proves: shutdown.send shutdown.one
peer listen
mod connect $host $port = object -> c
peer accept
c send "abc"            = 3
c shutdown "send"       = 1
peer expect "abc"
peer expect eof
peer send "line\n"
c receive               = "line"
