# A descriptor that is set into another client carries the connection there.
# proves: setfd.move setfd.invalid setfd.nothing
# level: extended
# deviates: luasocket has no fromfd
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
c getfd                     = <integer $f>
d getfd                     = <integer $g>
c setfd -1                  = nil
c getfd                     = -1
c receive                   ! "closed" ""
d setfd $f                  = nil
d getfd                     = $f
peer send "ab\n"
d receive                   = "ab"
mod fromfd $g "client"      = object -> e
  or luasocket stop
peer:q send "cd\n"
e receive                   = "cd"
