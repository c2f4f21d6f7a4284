# A wait ends when bytes come, whatever its limit.
# proves: poller.wakes poller.forever
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "r"             = 1
start w  p wait
pause 0.1
peer send "x"
collect w               = [[c "r"]] ~0.1s
c receive 1             = "x"
start w  p wait -1
pause 0.1
peer send "y"
collect w               = [[c "r"]] ~0.1s
c receive 1             = "y"
start w  p wait 4
pause 0.1
peer send "z"
collect w               = [[c "r"]] ~0.1s
