# When *a would pass maxsize it fails with oversized and exactly maxsize bytes.
# proves: receive.maxsize.all receive.maxsize.rest
peer listen
mod connect $host $port = object -> c
peer accept
peer send "hello world"
peer close
c receive "*a" "" 5     ! "oversized" "hello"
c receive "*a" "" 5     ! "oversized" " worl"
c receive "*a" "" 5     = "d"
