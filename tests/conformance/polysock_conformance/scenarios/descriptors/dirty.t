# dirty tells whether bytes were read ahead and not returned yet.
# proves: dirty.empty dirty.buffered
peer listen
mod connect $host $port = object -> c
peer accept
c dirty                 = false
peer send "a\nbc"
c dirty                 = false
c receive               = "a"
c dirty                 = true
c receive 1             = "b"
c dirty                 = true
c receive 1             = "c"
c dirty                 = false
