# Sending nothing answers 0 and sends nothing.
# proves: send.empty
peer listen
mod connect $host $port = object -> c
peer accept
c send ""               = 0
peer expect nothing 0.05
c send "x"              = 1
peer expect "x"
