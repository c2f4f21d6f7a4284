# A maxsize far beyond any buffer is exact too.
# proves: receive.maxsize.line receive.maxsize.rest
peer listen
mod connect $host $port  = object -> c
peer accept
let $line                = repeat("0123456789",30000)
start p peer send $line+"\n"
c receive "*l" "" 299999 ! "oversized" $line[1..299999]
c receive "*l" "" 299999 = "9"
collect p
