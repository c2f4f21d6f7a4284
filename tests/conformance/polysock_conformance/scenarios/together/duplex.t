# One call receives while another sends on the same object.
# proves: together.duplex
# needs: threads
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive
c send "ab"             = 2
peer expect "ab"
peer send "cd\n"
collect r               = "cd"
