# lines takes a bound: a line that passes it raises oversized, and its bytes stay buffered.
# proves: lines.maxsize lines.failure.keeps
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abc\nabcd\r\nabcdefgh\nnext\n"
c lines "*l" 4          = object -> it
it next                 = "abc"
it next                 = "abcd"
it next                 E "oversized"
it next                 E "oversized"
c pending               = 14
c receive               = "abcdefgh"
it next                 = "next"
