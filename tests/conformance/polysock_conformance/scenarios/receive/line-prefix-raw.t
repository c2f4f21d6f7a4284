# The prefix of a line is put in front as it is: neither its CR nor its LF counts.
# proves: receive.line.prefix.raw
peer listen
mod connect $host $port      = object -> c
peer accept
peer send "end\r\n"
c receive "*l" "a\rb\nc\r\n" = "a\rb\nc\r\nend"
