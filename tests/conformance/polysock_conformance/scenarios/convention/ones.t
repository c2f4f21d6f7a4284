# Calls that only succeed answer the integer 1.
# proves: convention.one
peer listen
mod connect $host $port      = object -> c
peer accept
c settimeout 1               = 1
c setstats 1                 = 1
c setoption "keepalive" true = 1
c shutdown                   = 1
c close                      = 1
