# A false start at the bound makes the piece oversized and stays to be received.
# proves: until.maxsize until.maxsize.rest
peer listen
mod connect $host $port  = object -> c
peer accept
peer send "hello-x--"
c receiveuntil "--" "" 5 ! "oversized" "hello"
c receiveuntil "--"      = "-x"
