# A closed object has nothing pending.
# proves: close.buffered pending.empty
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\ntwo\n"
c receive               = "one"
c pending               = 4
c close                 = 1
c pending               = 0
