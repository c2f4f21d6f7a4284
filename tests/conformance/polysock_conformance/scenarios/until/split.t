# A delimiter that comes in as many packets as it has bytes is found.
# proves: until.split
peer listen
mod connect $host $port = object -> c
peer accept
start r c receiveuntil "\r\n.\r\n"
peer send "ab\r" pause 0.02 "\n" pause 0.02 "." pause 0.02 "\r" pause 0.02 "\nrest"
collect r               = "ab"
c receive 4             = "rest"
