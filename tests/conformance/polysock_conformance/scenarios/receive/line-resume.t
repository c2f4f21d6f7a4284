# A partial line passed back as prefix completes, nothing lost and nothing twice.
# proves: receive.line.resume receive.prefix.failure
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.03       = 1
c receive               ! "timeout" ""
peer send "ab\r"
c receive nil ""        ! "timeout" "ab"
c receive nil "ab"      ! "timeout" "ab"
peer send "cd"
c receive nil "ab"      ! "timeout" "abcd"
peer send "\r\nnext\n"
c receive nil "abcd"    = "abcd"
c receive               = "next"
