# Negative limits let a call wait as long as it takes.
# proves: timeout.negative
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout -2         = 1
c settimeout -0.001 "t" = 1
start r c receive
pause 0.3
peer send "x\n"
collect r               = "x" ~0.3s
