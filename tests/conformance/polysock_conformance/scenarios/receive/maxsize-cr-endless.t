# Endless CRs under maxsize do not hold a call: it ends as oversized, with what is not CR.
# proves: receive.maxsize.cr.endless
peer listen
mod connect $host $port = object -> c
peer accept
peer send "ab"
peer flood "\r"
c receive "*l" "" 10    ! "oversized" "ab" <3s
c receive "*l" "" 10    ! "oversized" "" <3s
c receive "*l" "xy" 10  ! "oversized" "xy" <3s
c lines "*l" 10         = object -> it
it next                 E "oversized" <3s
