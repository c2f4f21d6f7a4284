# A reset that comes while the iterator waits is no end either.
# proves: lines.reset lines.failure.keeps
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\nhalf"
c lines                 = object -> it
it next                 = "one"
start r it next
peer reset
collect r               E "closed" <1s
c receive               ! "closed" "half"
