# A timeout of 0 looks once and does not wait.
# proves: select.zero
peer listen
mod connect $host $port = object -> c
peer accept
mod select [c] nil 0    = [] [] "timeout" ~0s
peer send "x"
mod select [c] nil 0    = [c] [] ~0s
