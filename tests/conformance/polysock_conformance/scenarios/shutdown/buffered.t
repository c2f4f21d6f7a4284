# What was read ahead is still received after shutdown.
# proves: shutdown.both receive.pastclose
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\ntwo\n"
c receive               = "one"
c shutdown              = 1
c receive               = "two"
c receive               ! "closed" ""
