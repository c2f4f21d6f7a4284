# A partial from timeout is shorter than maxsize, and continues rightly.
# proves: receive.maxsize.timeout
peer listen
mod connect $host $port      = object -> c
peer accept
c settimeout 0.05            = 1
peer send "hello"
c receiveuntil "--" "" 5     ! "timeout" "hell" ~0.05s
peer send "-"
c receiveuntil "--" "hell" 5 ! "timeout" "hell" ~0.05s
peer send "-x"
c receiveuntil "--" "hell" 5 = "hello"
c receive 1                  = "x"
