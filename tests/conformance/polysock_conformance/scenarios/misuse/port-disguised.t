# What is neither digits nor the name of a service is no port, though a system may read it so.
# proves: address.port.neither
# level: extended
# deviates: luasocket binds and connects to what the system makes of it
m tcp4                      = object
m bind "127.0.0.1" "80x"    ! "service not supported for socket type"
m bind "127.0.0.1" "0x50"   ! "service not supported for socket type"
m bind "127.0.0.1" "+70000" ! "service not supported for socket type"
m bind "127.0.0.1" " 70000" ! "service not supported for socket type"
m connect "127.0.0.1" ""    ! "service not supported for socket type"
