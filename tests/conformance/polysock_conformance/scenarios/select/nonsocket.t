# What is no socket is ignored.
# proves: select.nonsocket
# level: extended
# deviates: luasocket indexes whatever it finds
peer listen
mod connect $host $port          = object -> c
peer accept
peer send "x"
mod select [5 c "x" true] [[]] 1 = [c] [] ~0s
  or luasocket stop
