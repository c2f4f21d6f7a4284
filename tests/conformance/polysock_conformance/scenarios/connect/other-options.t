# Options of the object outlive an attempt that is dropped.
# proves: connect.other connect.options
# level: extended
# deviates: luasocket asks for the outcome of the first attempt
peer stall
peer:q listen
c tcp4                         = object
c setoption "keepalive" true   = 1
c settimeout 0.1               = 1
c connect $host $port          ! "timeout" ~0.1s
c setoption "tcp-nodelay" true = 1
c settimeout 3                 = 1
c connect $q.host $q.port      = 1 <1s
  or luasocket                 ! <any>
  or luasocket stop
c getoption "keepalive"        = true
c getoption "tcp-nodelay"      = true
