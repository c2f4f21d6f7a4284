# Negative i and j count from the end.
# proves: send.negative.i send.negative.j
peer listen
mod connect $host $port = object -> c
peer accept
c send "abcdef" -2      = 6
c send "abcdef" 1 -5    = 2
c send "abcdef" -4 -3   = 4
peer expect "efabcd"
