# A connection that closes at once gives no line.
# proves: lines.empty
peer listen
mod connect $host $port = object -> c
peer accept
peer close
c lines                 = object -> it
it next                 = nil
it next                 = nil
