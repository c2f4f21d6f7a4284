# NUL is a delimiter like any other.
# proves: until.raw until.found
peer listen
mod connect $host $port = object -> c
peer accept
peer send "ab\0\0cd\0\xff\0"
c receiveuntil "\0"     = "ab"
c receiveuntil "\0"     = ""
c receiveuntil "\0\xff" = "cd"
c receive 1             = "\0"
