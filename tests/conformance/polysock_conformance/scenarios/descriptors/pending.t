# pending is the number of bytes in the read buffer.
# proves: pending.count pending.empty convention.integers
peer listen
mod connect $host $port = object -> c
peer accept
c pending               = 0
peer send "a\nbcd"
c pending               = 0
c receive               = "a"
c pending               = 3
c receive 1             = "b"
c pending               = 2
c receive 2             = "cd"
c pending               = 0
