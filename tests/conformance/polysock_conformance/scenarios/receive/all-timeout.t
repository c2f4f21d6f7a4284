# A timeout during *a gives what came, which as prefix is continued.
# proves: receive.all.timeout
peer listen
mod connect $host $port  = object -> c
peer accept
c settimeout 0.05        = 1
peer send "abc\r\n"
c receive "*a"           ! "timeout" "abc\r\n" ~0.05s
peer send "def"
peer close
c receive "*a" "abc\r\n" = "abc\r\ndef"
