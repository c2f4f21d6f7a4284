# A failing *L gives what came unchanged, and resumes with it across a split CR LF.
# proves: receive.rawline.partial
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.03       = 1
peer send "a\rb\r"
c receive "*L"          ! "timeout" "a\rb\r"
peer send "\nlast\r"
c receive "*L" "a\rb\r" = "a\rb\r\n"
peer close
c receive "*L"          ! "closed" "last\r"
