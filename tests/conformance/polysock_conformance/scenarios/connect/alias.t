# setpeername and setsockname are other names of connect and bind.
# proves: object.alias.setpeername object.alias.setsockname
peer listen
c tcp                       = object
c setsockname "127.0.0.1" 0 = 1
c setpeername $host $port   = 1
peer accept
c send "ab"                 = 2
peer expect "ab"
