# An object that is forgotten and collected is closed.
# proves: object.collected
peer listen
mod connect $host $port = object -> c
peer accept
c drop                  = nil
peer expect eof
