# A total limit of 0 never waits either.
# proves: timeout.zero
# deviates: luasocket waits when it is asked for nothing
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0 "t"      = 1
peer send "ab"
c receive               ! "timeout" "ab" ~0s
c receive 0             = "" ~0s
  or luasocket          ! "timeout" ""
