# What a loop left is received by other calls.
# proves: lines.each receive.mixed
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\ntwo\nbody"
c lines                 = object -> it
it next                 = "one"
c receive               = "two"
c receive 4             = "body"
