# A failover with timeout 0 and select reaches the server that answers.
# proves: connect.other connect.retry.select
# level: extended
# deviates: luasocket asks for the outcome of the first attempt
peer stall
peer:q listen
c tcp                           = object
c settimeout 0                  = 1
c connect $host $port           ! "timeout" ~0s
mod select nil [c] 0.1          = [] [] "timeout" ~0.1s
again c connect $q.host $q.port = 1 <3s
  or luasocket                  ! "Operation already in progress"
  or luasocket stop
peer:q accept
c getpeername                   = "127.0.0.1" $q.port "inet"
