# Without a timeout, or with a negative one, select waits as long as it takes.
# proves: select.wakes
peer listen
mod connect $host $port = object -> c
peer accept
start w mod select [c] nil
pause 0.2
peer send "x"
collect w               = [c] [] ~0.2s
c receive 1             = "x"
start w mod select [c] nil -1
pause 0.2
peer send "x"
collect w               = [c] [] ~0.2s
