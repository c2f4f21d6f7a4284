# With i and j the bytes from i to j go out and j is the answer.
# proves: send.ij
peer listen
mod connect $host $port = object -> c
peer accept
c send "abcdef" 2 4     = 4
c send "abcdef" 6 6     = 6
c send "abcdef" nil 2   = 2
peer expect "bcdfab"
