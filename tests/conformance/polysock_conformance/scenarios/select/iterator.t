# So is an iterator over its lines.
# proves: misuse.select.socket
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "one\ntwo\n"
c lines                 = object -> it
mod select it nil 0     X "bad argument #1 to 'select'"
mod select nil it 0     X "bad argument #2 to 'select'"
it next                 = "one"
