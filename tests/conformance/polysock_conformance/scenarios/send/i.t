# With i sending begins at byte i, counted from 1; the answer counts from the start.
# proves: send.i send.nil
peer listen
mod connect $host $port = object -> c
peer accept
c send "abcdef" 1       = 6
c send "ABCDEF" 4       = 6
c send "xyz" nil nil    = 3
peer expect "abcdefDEFxyz"
