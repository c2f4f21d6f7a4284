# A closed object still answers what needs no socket.
# proves: close.answers stats.closed close.text kind.closed
peer listen
mod connect $host $port = object -> c
peer accept
c send "abc"            = 3
c close                 = 1
c settimeout 2          = 1
c gettimeout            = 2.0 -1.0
c getstats              = 0 3 <number 0..60>
c setstats 5 6 7        = 1
c getstats              = 5 6 <number 7..60>
c dirty                 = false
c getfamily             = "inet4"
c tostring              = <like "tcp{client}: *">
