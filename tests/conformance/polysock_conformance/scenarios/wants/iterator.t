# The iterator counts as a receive; the limit that ended it does not matter.
# proves: wants.receive
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "one\nt"
c lines                 = object -> it
it next                 = "one"
it next                 E "timeout"
c wants                 = "r"
peer send "wo\n"
it next                 = "two"
c wants                 = nil
c setdeadline 0         = 1
it next                 E "timeout"
c wants                 = "r"
