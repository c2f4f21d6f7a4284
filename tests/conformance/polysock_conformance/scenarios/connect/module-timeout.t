# The last argument of connect limits that call.
# proves: module.connect.timeout
peer stall
mod connect $host $port nil nil nil 0.2  ! "timeout" ~0.2s
mod connect $host $port nil nil "inet" 0 ! "timeout" ~0s
mod connect4 $host $port nil nil 0.2     ! "timeout" ~0.2s
