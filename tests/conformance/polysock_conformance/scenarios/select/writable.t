# A client that can send is writable.
# proves: select.writable select.both
peer listen
mod connect $host $port = object -> c
peer accept
mod select nil [c] 1    = [] [c] ~0s
mod select [c] [c] 1    = [] [c] ~0s
peer send "x"
mod select [c] [c] 1    = [c] [c] ~0s
