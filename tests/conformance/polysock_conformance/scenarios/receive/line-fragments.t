# A line that arrives byte by byte is one line.
# proves: receive.line.fragments convention.same
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive
peer send "h" pause 0.02 "e" pause 0.02 "l" pause 0.02 "l" pause 0.02 "o" pause 0.02 "\n"
collect r               = "hello"
