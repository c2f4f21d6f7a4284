# Nothing ready in time gives two empty sets and timeout.
# proves: select.timeout error.timeout
peer listen
mod connect $host $port = object -> c
peer accept
mod select [c] nil 0.2  = [] [] "timeout" ~0.2s
