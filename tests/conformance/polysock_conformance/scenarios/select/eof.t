# A client whose peer has closed is readable.
# proves: select.eof
peer listen
mod connect $host $port = object -> c
peer accept
peer close
mod select [c] nil 1    = [c] [] ~0s
