# A closed object stays closed, whatever is tried on it in between.
# proves: close.idempotent close.answers lines.closed
peer listen
mod connect $host $port         = object -> c
peer accept
c lines                         = object -> it
c close                         = 1
it next                         E "closed"
c getfd                         = -1
it next                         E "closed"
c receive                       ! "closed" ""
c receive 0                     ! "closed" ""
c receive 3 "ab"                ! "closed" "ab"
c receiveany                    ! "closed" ""
c receiveuntil ";" "ab"         ! "closed" "ab"
c getfd                         = -1
c send "abc" 2                  ! "closed" 1
c connect $host $port           ! "closed"
c getsockname                   ! "closed"
c getpeername                   ! "closed"
c getfd                         = -1
c setoption "keepalive" true    ! "closed"
c getoption "keepalive"         ! "closed"
c shutdown                      = 1
c detach                        ! "closed"
c getfd                         = -1
c dirty                         = false
c pending                       = 0
c receive                       ! "closed" ""
c close                         = 1
c receive                       ! "closed" ""
m tcp4                          = object
m close                         = 1
m bind "127.0.0.1" 0            ! "closed"
m listen                        ! "closed"
m connect $host $port           ! "closed"
m getfd                         = -1
m close                         = 1
