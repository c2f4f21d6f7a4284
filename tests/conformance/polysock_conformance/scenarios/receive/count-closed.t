# Too few bytes before the close fails with closed and those bytes.
# proves: receive.count.closed
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abc"
peer close
c receive 5             ! "closed" "abc"
c receive 5 "abc"       ! "closed" "abc"
c receive 1             ! "closed" ""
