# A new deadline replaces the old one, later or earlier.
# proves: deadline.move
peer listen
mod connect $host $port = object -> c
peer accept
c setdeadline 0         = 1
clock
c setdeadline 0.3       = 1
c receive               ! "timeout" ""
clock ~0.3s
c setdeadline 5         = 1
clock
c setdeadline 0.05      = 1
c receive               ! "timeout" ""
clock ~0.05s
