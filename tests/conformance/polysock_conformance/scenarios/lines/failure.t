# A timeout raises out of the loop.
# proves: lines.failure
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "one\n"
c lines                 = object -> it
it next                 = "one"
it next                 E "timeout" ~0.05s
