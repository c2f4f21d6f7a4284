# The function connect gives a connected client.
# proves: module.connect
peer listen
mod connect $host $port = object -> c
peer accept
c tostring              = <like "tcp{client}: 0x*">
c getpeername           = "127.0.0.1" $port "inet"
