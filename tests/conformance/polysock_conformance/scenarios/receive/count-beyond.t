# A count beyond all memory gives what came: nothing so large is asked for beforehand.
# proves: receive.count.beyond
peer listen
mod connect $host $port       = object -> c
peer accept
c settimeout 0.05             = 1
peer send "abc"
c receive 1000000000000       ! "timeout" "abc" ~0.05s
peer close
c receive 1000000000000 "abc" ! "closed" "abc"
