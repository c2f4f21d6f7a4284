# On a closed object *L fails with closed and gives the prefix back.
# proves: receive.closed
peer listen
mod connect $host $port = object -> c
peer accept
c close                 = 1
c receive "*L" "ab"     ! "closed" "ab"
