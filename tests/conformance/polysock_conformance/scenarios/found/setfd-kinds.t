# Descriptors move between masters and between servers as they do between clients.
# proves: setfd.move setfd.invalid setfd.nothing
# level: extended
# deviates: luasocket tells the system's trouble with descriptor -1
m tcp4                      = object
m getfd                     = <integer $f>
m setfd -1                  = nil
m getfd                     = -1
m listen                    ! "closed"
  or luasocket              ! "Bad file descriptor"
m setfd $f                  = nil
m bind "127.0.0.1" 0        = 1
m listen                    = 1
m getsockname               = "127.0.0.1" <integer $p> "inet"
m getfd                     = <integer $g>
m setfd -1                  = nil
m setfd $g                  = nil
peer connect "127.0.0.1" $p
m accept                    = object -> c
peer send "ab\n"
c receive                   = "ab"
