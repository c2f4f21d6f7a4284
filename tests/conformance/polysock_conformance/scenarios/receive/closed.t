# On a closed object receive fails with closed and gives the prefix back.
# proves: receive.closed convention.failure
peer listen
mod connect $host $port = object -> c
peer accept
c close                 = 1
c receive               ! "closed" ""
c receive "*l" "ab"     ! "closed" "ab"
c receive "*a"          ! "closed" ""
c receive "*a" "ab"     ! "closed" "ab"
c receive 5 "ab"        ! "closed" "ab"
