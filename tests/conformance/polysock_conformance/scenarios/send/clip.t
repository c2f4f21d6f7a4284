# An i before the first byte is the first, a j past the end is the end.
# proves: send.clip.i send.clip.j
peer listen
mod connect $host $port = object -> c
peer accept
c send "abc" 0          = 3
c send "abc" -9         = 3
c send "abc" 2 9        = 3
c send "abc" -9 9       = 3
peer expect "abcabcbcabc"
