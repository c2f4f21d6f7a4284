# The same object twice in a set does no harm.
# proves: select.readable
# deviates: luasocket returns it once
peer listen
mod connect $host $port = object -> c
peer accept
peer send "x"
mod select [c c] nil 1  = [c c] [] ~0s
  or luasocket          = [c] [] ~0s
