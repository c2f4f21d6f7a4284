# A piece of exactly maxsize bytes is a success, the delimiter in the same packet or later.
# proves: until.maxsize.exact
peer listen
mod connect $host $port  = object -> c
peer accept
peer send "hello--"
c receiveuntil "--" "" 5 = "hello"
start r c receiveuntil "--" "" 5
peer send "world-" pause 0.05 "-"
collect r                = "world"
