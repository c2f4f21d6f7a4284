# CRs are dropped from a long line before little, and from a short one before much.
# proves: receive.line.cr receive.line.long
peer listen
mod connect $host $port = object -> c
peer accept
start p peer send repeat("ab\rcd",40000)+"\r\n"+"x\ry\r\n"+repeat("z",50000)+"\r\n"+"end\n"
c receive               = repeat("abcd",40000)
c receive               = "xy"
c receive               = repeat("z",50000)
c receive               = "end"
collect p
