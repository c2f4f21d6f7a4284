# Indices far outside are clipped as near ones are.
# proves: send.clip.i send.clip.j
peer listen
mod connect $host $port         = object -> c
peer accept
c send "abc" -9007199254740993  = 3
c send "abc" 2 9007199254740993 = 3
peer expect "abcbc"
