# A reset where a line would begin is raised, too.
# proves: lines.reset
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\n"
c lines                 = object -> it
it next                 = "one"
peer reset
it next                 E "closed"
it next                 E "closed"
c receive               ! "closed" ""
