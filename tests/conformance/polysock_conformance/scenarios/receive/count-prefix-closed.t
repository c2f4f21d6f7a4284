# A prefix that is long enough is returned even when the peer has closed.
# proves: receive.count.prefix.enough
peer listen
mod connect $host $port = object -> c
peer accept
peer close
c receive 2 "abc"       = "abc"
