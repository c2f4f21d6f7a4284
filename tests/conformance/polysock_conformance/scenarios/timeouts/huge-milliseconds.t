# A limit that a system counts beyond 32 bits of milliseconds does not come early.
# proves: timeout.huge timeout.early
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 4294967.4  = 1
start r c receive
pause 0.1
peer send "x\n"
collect r               = "x"
