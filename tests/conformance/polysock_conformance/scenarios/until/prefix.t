# The prefix stands in front of the result and of a partial.
# proves: until.prefix
peer listen
mod connect $host $port = object -> c
peer accept
peer send "b;c"
c receiveuntil ";" "a"  = "ab"
peer close
c receiveuntil ";" "x"  ! "closed" "xc"
