# Empty lines are empty byte strings, not failures.
# proves: receive.line.empty
peer listen
mod connect $host $port = object -> c
peer accept
peer send "\n\r\n\r\r\nx\n"
c receive               = ""
c receive               = ""
c receive               = ""
c receive               = "x"
