# A send that timed out waits to write; once it has succeeded nothing is waited for.
# proves: wants.send wants.none
peer listen buffers 4096
mod connect $host $port       = object -> c
peer accept
c settimeout 0                = 1
c send repeat("x",20000000)   ! "timeout" <integer 1..19999999 $n>
c wants                       = "w"
start p peer read $n
c settimeout nil              = 1
collect p
c send "ab"                   = 2
c wants                       = nil
