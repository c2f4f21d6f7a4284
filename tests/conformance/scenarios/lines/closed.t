# A closed object gives no line.
# proves: lines.closed
# skip: luasocket has no lines
peer listen
mod connect $host $port = object -> c
peer accept
c close                 = 1
c lines                 = object -> it
it next                 = nil
