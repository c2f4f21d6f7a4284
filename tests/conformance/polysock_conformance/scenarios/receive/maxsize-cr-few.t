# CRs that are dropped do not count towards maxsize as long as there are no more of them.
# proves: receive.maxsize.line.cr
peer listen
mod connect $host $port    = object -> c
peer accept
start p peer send repeat("\r",100000)+"a"+repeat("\r",99999)+"b\nnext\n"
c receive "*l" "" 200000   = "ab"
c receive                  = "next"
collect p
