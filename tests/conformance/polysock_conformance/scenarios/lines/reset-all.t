# Everything until the close is not there after a reset.
# proves: lines.reset lines.failure.keeps lines.pattern
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\nhalf"
c receive               = "one"
peer reset
c lines "*a"            = object -> it
it next                 E "closed"
it next                 E "closed"
c receive "*a"          ! "closed" "half"
