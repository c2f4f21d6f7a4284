# The prefix counts in: only what is missing is read.
# proves: receive.count.prefix
peer listen
mod connect $host $port = object -> c
peer accept
peer send "cdef"
c receive 5 "ab"        = "abcde"
c receive 1             = "f"
