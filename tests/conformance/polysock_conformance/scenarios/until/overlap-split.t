# A false start in one packet and the rest of the delimiter in the next.
# proves: until.overlap until.split
peer listen
mod connect $host $port = object -> c
peer accept
start r c receiveuntil "aab"
peer send "xaa" pause 0.03 "a" pause 0.03 "a" pause 0.03 "by"
collect r               = "xaa"
start r c receiveuntil "abac"
peer send "aba" pause 0.03 "bac!"
collect r               = "yab"
c receive 1             = "!"
