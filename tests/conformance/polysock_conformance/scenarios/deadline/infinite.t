# An infinite deadline is none that ever comes.
# proves: deadline.clear timeout.huge
peer listen
mod connect $host $port = object -> c
peer accept
c setdeadline inf       = 1
start r c receive
pause 0.1
peer send "x\n"
collect r               = "x"
c setdeadline 1e300     = 1
peer send "y\n"
c receive               = "y"
