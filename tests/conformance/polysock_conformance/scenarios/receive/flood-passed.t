# The same after a deadline, and with a limit of 0 of the whole call.
# proves: timeout.zero.bound deadline.passed
peer listen
mod connect $host $port = object -> c
peer accept
c setdeadline 0         = 1
peer flood "x"
c receive "*a"          ! "timeout" <text 1..1048576>
c receive "*l"          ! "timeout" <text 0..1048576>
c receive 1000000000    ! "timeout" <text 0..1048576>
c receiveuntil "end"    ! "timeout" <text 0..1048576>
c setdeadline nil       = 1
c settimeout 0 "t"      = 1
c receive "*a"          ! "timeout" <text 0..1048576>
c receive "*l"          ! "timeout" <text 0..1048576>
c receive 1000000000    ! "timeout" <text 0..1048576>
c receiveuntil "end"    ! "timeout" <text 0..1048576>
