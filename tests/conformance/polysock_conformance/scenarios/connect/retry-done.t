# Connecting again answers 1 once the connection stands.
# proves: connect.retry.done connect.retry.select
peer listen
c tcp                 = object
c settimeout 0        = 1
c connect $host $port ! "timeout" ~0s
peer accept
mod select nil [c] 3  = [] [c]
c connect $host $port = 1
c getpeername         = "127.0.0.1" $port "inet"
c send "ab"           = 2
peer expect "ab"
