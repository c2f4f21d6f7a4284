# The descriptor of another object keeps its flags and options, too.
# proves: setfd.flags setfd.move
# needs: linux
peer listen
mod connect $host $port        = object -> c
peer accept
c setoption "tcp-nodelay" true = 1
c getfd                        = <integer $f>
descriptor $f not blocking
d tcp                          = object
d setfd $f                     = nil
c setfd -1                     = nil
descriptor $f not blocking
d getoption "tcp-nodelay"      = true
