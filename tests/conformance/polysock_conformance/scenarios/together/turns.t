# Two calls in the same direction take turns and lose nothing.
# proves: together.turns
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive 3
start t c receive 3
peer send "xxxxxx"
collect r               = "xxx"
collect t               = "xxx"
c pending               = 0
