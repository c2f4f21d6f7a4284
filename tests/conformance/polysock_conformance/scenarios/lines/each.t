# lines gives one line after the other, the last one without its end too, and then ends.
# proves: lines.each lines.unterminated lines.end
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\r\n\ntwo\nlast"
peer close
c lines                 = object -> it
it next                 = "one"
it next                 = ""
it next                 = "two"
it next                 = "last"
it next                 = nil
