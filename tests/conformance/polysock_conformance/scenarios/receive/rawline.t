# The pattern *L keeps the end of the line and every CR.
# proves: receive.rawline receive.rawline.cr
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\r\n\rt\rwo\n\n"
c receive "*L"          = "one\r\n"
c receive "*L"          = "\rt\rwo\n"
c receive "*L"          = "\n"
