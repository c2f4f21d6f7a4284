# The bound of lines is an integer from 1, and no count is above it.
# proves: misuse.lines.maxsize
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\n"
c lines "*l" 0          X "bad argument #2 to 'lines'"
c lines "*l" -1         X "bad argument #2 to 'lines'"
c lines "*l" 1.5        X "bad argument #2 to 'lines'"
c lines "*l" "x"        X "bad argument #2 to 'lines'"
c lines 5 4             X "bad argument #1 to 'lines' (pattern: at most maxsize expected)"
c receive               = "one"
