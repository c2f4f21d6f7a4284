# A reset is no end: the complete lines come, then closed is raised, and the half line is kept.
# proves: lines.failure lines.reset lines.failure.keeps
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\ntwo\r\nha\rlf"
c lines                 = object -> it
it next                 = "one"
peer reset
it next                 = "two"
it next                 E "closed"
it next                 E "closed"
c pending               = 5
c receive               ! "closed" "half"
