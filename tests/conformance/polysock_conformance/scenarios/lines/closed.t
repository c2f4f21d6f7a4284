# Iterating over an object that was closed here raises closed.
# proves: lines.closed lines.failure
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\ntwo\n"
c lines                 = object -> it
it next                 = "one"
c close                 = 1
it next                 E "closed"
it next                 E "closed"
c lines                 = object -> jt
jt next                 E "closed"
