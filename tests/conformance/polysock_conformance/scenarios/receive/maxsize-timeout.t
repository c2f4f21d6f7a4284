# A partial from timeout is shorter than maxsize; the byte held back is not lost.
# proves: receive.maxsize.timeout
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "hello"
c receive "*l" "" 5     ! "timeout" "hell" ~0.05s
c pending               = 1
peer send "\n"
c receive "*l" "hell" 5 = "hello"
