# A prefix alone is no data: *a fails with closed and gives the prefix back.
# proves: receive.all.prefix.nothing
peer listen
mod connect $host $port = object -> c
peer accept
peer close
c receive "*a" "head"   ! "closed" "head"
