# A huge or infinite limit works as no limit.
# proves: timeout.huge
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 1e300      = 1
c settimeout inf "t"    = 1
c gettimeout            = 1e300 inf
start r c receive
pause 0.1
peer send "x\n"
collect r               = "x"
