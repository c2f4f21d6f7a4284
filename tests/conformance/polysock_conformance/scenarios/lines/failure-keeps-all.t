# The same for everything until the close.
# proves: lines.failure.keeps lines.pattern
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "abc\n"
c lines "*a"            = object -> it
it next                 E "timeout"
peer send "def"
peer close
it next                 = "abc\ndef"
it next                 = nil
