# With timeout 0 a peer that floods cannot hold a call: it takes 1 MiB from the system at most.
# proves: timeout.zero.bound
# level: extended
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0          = 1
peer flood "x"
c receive "*a"          ! "timeout" <text 1..1048576>
c receive "*l"          ! "timeout" <text 0..1048576>
c receive 1000000000    ! "timeout" <text 0..1048576>
c receive "*a"          ! "timeout" <text 0..1048576>
c receiveuntil "end"    ! "timeout" <text 0..1048576>
c receive "*a"          ! "timeout" <text 0..1048576>
