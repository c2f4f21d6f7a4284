# A prefix that is long enough is returned at once and whole, and nothing is read.
# proves: receive.count.prefix.enough
peer listen
mod connect $host $port = object -> c
peer accept
c receive 3 "abc"       = "abc" ~0s
c receive 2 "abc"       = "abc" ~0s
c receive 0 "abc"       = "abc" ~0s
peer send "x"
c receive 2 "abc"       = "abc"
c receive 1             = "x"
