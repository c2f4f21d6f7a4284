# Closing wakes an iterator that waits, which raises closed and does not end.
# proves: lines.closed together.close
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\nhalf"
c lines                 = object -> it
it next                 = "one"
start r it next
c close                 = 1
collect r               E "closed" <1s
