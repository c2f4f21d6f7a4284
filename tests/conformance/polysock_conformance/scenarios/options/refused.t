# What the system refuses is a failure with its words.
# proves: option.refused error.system
# level: extended
# needs: linux
# deviates: luasocket tells only that the call failed
c tcp4                                = object
c setoption "tcp-keepcnt" 1000        ! "Invalid argument"
  or luasocket                        ! "setsockopt failed"
c setoption "tcp-keepidle" 4294967297 ! "Invalid argument"
  or luasocket                        ! "setsockopt failed"
c setoption "tcp-keepidle" -1         ! "Invalid argument"
  or luasocket                        ! "setsockopt failed"
c setoption "ipv6-v6only" true        ! <any>
  or luasocket                        ! "setsockopt failed"
