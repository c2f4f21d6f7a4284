# An i past j sends nothing and answers i - 1.
# proves: send.crossed
peer listen
mod connect $host $port = object -> c
peer accept
c send "abc" 3 2        = 2
c send "abc" 9          = 8
c send "abc" 2 0        = 1
c send "abc" -1 -3      = 2
c send "abc" 1 -4       = 0
peer expect nothing 0.05
