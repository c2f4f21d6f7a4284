# receiveany returns at most max bytes and leaves the rest.
# proves: any.max
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abcdef"
c receiveany 2          = "ab"
c receiveany 1          = "c"
c receiveany 100        = "def"
