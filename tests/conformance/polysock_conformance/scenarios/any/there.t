# receiveany returns what is there, without waiting for more.
# proves: any.there
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abc\r\n"
c receiveany            = "abc\r\n" ~0s
