# A stream of exactly maxsize bytes is a success for *a.
# proves: receive.maxsize.all.exact
peer listen
mod connect $host $port = object -> c
peer accept
peer send "hello"
peer close
c receive "*a" "" 5     = "hello"
