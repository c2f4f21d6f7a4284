# A descriptor that was taken out can be put back.
# proves: setfd.invalid setfd.move
peer listen
mod connect $host $port = object -> c
peer accept
c getfd                 = <integer $f>
c setfd -1              = nil
c getfd                 = -1
c setfd $f              = nil
c send "ab"             = 2
peer expect "ab"
