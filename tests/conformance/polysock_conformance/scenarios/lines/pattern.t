# lines takes a pattern; with a count the last piece may be shorter.
# proves: lines.pattern
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abc\r\ndefgh"
peer close
c lines "*L"            = object -> it
it next                 = "abc\r\n"
c lines 2               = object -> it
it next                 = "de"
it next                 = "fg"
it next                 = "h"
it next                 = nil
