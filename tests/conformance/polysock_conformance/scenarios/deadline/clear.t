# setdeadline of nil takes the deadline away, and calls wait again.
# proves: deadline.clear
peer listen
mod connect $host $port = object -> c
peer accept
c setdeadline 0.05      = 1
c setdeadline nil       = 1
c getdeadline           = nil
start r c receive
pause 0.3
peer send "x\n"
collect r               = "x" ~0.3s
