# Half a line that a loop has found to be too little, and left in the buffer, is nothing to
# receive: a program that waits for the rest of it would turn round and round.
# proves: poller.dirty.waiting
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "r" "c"         = 1
c settimeout 0          = 1
peer send "one\nha"
p wait 5                = [["c" "r"]] <2s
c lines                 = object -> it
it next                 = "one"
p wait 0                = [["c" "r"]]
it next                 E "timeout"
c pending               = 2
p wait 0.1              ! "timeout" ~0.1s
c receive 1             = "h"
p wait 0                = [["c" "r"]]
it next                 E "timeout"
p wait 0                ! "timeout"
peer send "lf\n"
p wait 5                = [["c" "r"]] <2s
it next                 = "alf"
