# The same for IPv6.
# proves: module.connect.timeout
# needs: ipv6
peer stall ipv6
mod connect $host $port nil nil nil 0.2 ! "timeout" ~0.2s
mod connect6 $host $port nil nil 0.2    ! "timeout" ~0.2s
