# An iterator that gives no bytes each time would never end.
# proves: misuse.lines.zero
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abc\n"
c lines 0               X "bad argument #1 to 'lines' (pattern: integer from 1 expected)"
c lines 0.0             X "bad argument #1 to 'lines'"
c receive 0             = ""
c receive               = "abc"
