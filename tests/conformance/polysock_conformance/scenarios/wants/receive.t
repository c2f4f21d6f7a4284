# A receive that timed out waits to read; once it has succeeded nothing is waited for.
# proves: wants.receive wants.none
peer listen
mod connect $host $port = object -> c
peer accept
c wants                 = nil
c settimeout 0          = 1
c receive               ! "timeout" ""
c wants                 = "r"
c wants                 = "r"
peer send "one\n"
c receive               = "one"
c wants                 = nil
c receive 5             ! "timeout" ""
c wants                 = "r"
peer send "a;b"
c receiveuntil ";"      = "a"
c wants                 = nil
c receiveany            = "b"
c receiveany            ! "timeout" ""
c wants                 = "r"
