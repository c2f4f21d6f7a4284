# The same for a line with its end, and for counts.
# proves: lines.reset lines.failure.keeps lines.pattern
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\ntwo\nhalf"
c lines "*L"            = object -> it
it next                 = "one\n"
peer reset
it next                 = "two\n"
it next                 E "closed"
c lines 3               = object -> it
it next                 = "hal"
it next                 E "closed"
c receive 2             ! "closed" "f"
