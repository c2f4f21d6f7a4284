# Half a line that a loop has found to be too little, and left in the buffer, is nothing to
# receive: a program that waits for the rest of it would turn round and round.
# proves: select.dirty.waiting
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0          = 1
peer send "one\nha"
mod select [c] nil 5    = [c] []
c lines                 = object -> it
it next                 = "one"
mod select [c] nil 0    = [c] []
it next                 E "timeout"
c pending               = 2
mod select [c] nil 0.1  = [] [] "timeout" ~0.1s
c receive 1             = "h"
mod select [c] nil 0    = [c] [] ~0s
it next                 E "timeout"
mod select [c] nil 0    = [] [] "timeout"
peer send "lf\n"
mod select [c] nil 5    = [c] []
it next                 = "alf"
