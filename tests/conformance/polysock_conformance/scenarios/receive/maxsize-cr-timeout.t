# CRs in a partial under maxsize are dropped as well.
# proves: receive.maxsize.timeout receive.maxsize.line.cr
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "\ra\rb\r"
c receive "*l" "" 5     ! "timeout" "ab"
peer send "\rc\rd\re\r\n"
c receive "*l" "ab" 5   = "abcde"
