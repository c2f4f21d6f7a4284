# A number waits for as many packets as it takes.
# proves: receive.count.fragments
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive 6
peer send "a" pause 0.02 "bc" pause 0.02 "def" pause 0.02 "ghi"
collect r               = "abcdef"
c receive 3             = "ghi"
