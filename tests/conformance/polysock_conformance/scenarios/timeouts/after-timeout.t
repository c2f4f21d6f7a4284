# After a timeout the object is as good as before.
# proves: timeout.change receive.mixed
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.03       = 1
c receive               ! "timeout" ""
c send "abc"            = 3
peer expect "abc"
peer send "x\n"
c receive               = "x"
