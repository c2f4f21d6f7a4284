# A socket that a set names twice is ready once.
# proves: select.twice
# skip: c the sets of C are watches, and each has its own mark
peer listen
mod connect $host $port   = object -> c
peer accept
peer send "x"
mod select [c c] [c c] 3  = [c] [c]
