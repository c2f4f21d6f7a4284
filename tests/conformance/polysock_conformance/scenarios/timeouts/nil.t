# A limit of nil lets a call wait as long as it takes.
# proves: timeout.nil
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
c settimeout nil        = 1
start r c receive
pause 0.3
peer send "x\n"
collect r               = "x" ~0.3s
