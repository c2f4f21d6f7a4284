# receiveany waits for the first byte when nothing is there.
# proves: any.waits
peer listen
mod connect $host $port = object -> c
peer accept
start r c receiveany
pause 0.2
peer send "x"
collect r               = "x" ~0.2s
