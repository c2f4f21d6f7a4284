# A line of CRs alone never passes maxsize, however many there are.
# proves: receive.maxsize.line.cr
# skip: luasocket has no maxsize
peer listen
mod connect $host $port = object -> c
peer accept
start p peer send repeat("\r",300000)+"a"+repeat("\r",300000)+"b\nnext\n"
c receive "*l" "" 2     = "ab"
c receive               = "next"
collect p
