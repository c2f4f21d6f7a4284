# Closing with linger on and 0 seconds resets the connection.
# proves: option.linger.reset
peer listen
mod connect $host $port                  = object -> c
peer accept
c setoption "linger" {on=true timeout=0} = 1
c close                                  = 1
peer expect reset
