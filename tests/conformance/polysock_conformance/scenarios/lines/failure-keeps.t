# A line that a failure interrupts is not lost: it comes when the loop goes on.
# proves: lines.failure.keeps
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "one\nt\rw"
c lines                 = object -> it
it next                 = "one"
it next                 E "timeout"
c pending               = 3
peer send "o\r\n"
it next                 = "two"
