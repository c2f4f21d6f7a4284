# A socket in place of a set is misuse: nothing of it is read.
# proves: misuse.select.socket
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "one\ntwo\n"
mod select c nil 0      X "bad argument #1 to 'select'"
mod select nil c 0      X "bad argument #2 to 'select'"
mod select c c 0        X "bad argument #1 to 'select'"
c receive               = "one"
