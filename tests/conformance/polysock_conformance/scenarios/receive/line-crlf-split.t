# CR and LF in two packets end a line as they do in one.
# proves: receive.line.cr.split
peer listen
mod connect $host $port = object -> c
peer accept
start r c receive
peer send "hello\r" pause 0.05 "\nnext"
collect r               = "hello"
c receive 4             = "next"
