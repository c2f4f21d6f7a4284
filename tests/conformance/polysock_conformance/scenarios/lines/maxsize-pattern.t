# The bound holds for lines with their ends and for everything until the close.
# proves: lines.maxsize lines.pattern
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abc\nabcd\nrest"
peer shutdown
c lines "*L" 4          = object -> it
it next                 = "abc\n"
it next                 E "oversized"
c receive               = "abcd"
c lines "*a" 3          = object -> it
it next                 E "oversized"
c lines "*a" 4          = object -> it
it next                 = "rest"
it next                 = nil
