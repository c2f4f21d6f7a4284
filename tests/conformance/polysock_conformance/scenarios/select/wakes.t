# A waiting select returns as soon as bytes come.
# proves: select.wakes
peer listen
mod connect $host $port = object -> c
peer accept
start w mod select [c] nil 3
pause 0.2
peer send "x"
collect w               = [c] [] ~0.2s
