# lines refuses unknown patterns when it is called.
# proves: misuse.lines.pattern
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abc\n"
c lines "*x"            X "bad argument #1 to 'lines'"
c lines -1              X "bad argument #1 to 'lines'"
c lines 1.5             X "bad argument #1 to 'lines'"
c lines []              X "bad argument #1 to 'lines'"
c receive               = "abc"
