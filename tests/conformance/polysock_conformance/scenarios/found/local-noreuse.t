# A local address is bound without reuseaddr, which is for servers.
# proves: module.connect.local option.reuseaddr.roundtrip
peer listen
mod connect $host $port "127.0.0.1" = object -> c
peer accept
c getoption "reuseaddr"             = false
mod bind "127.0.0.1" 0              = object -> s
s getoption "reuseaddr"             = true
