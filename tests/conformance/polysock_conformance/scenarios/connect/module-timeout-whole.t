# It limits the whole call: the look-up of the name, and all addresses together.
# proves: module.connect.timeout.whole
# resolver: never.test never
# resolver: twice.test 0 127.0.0.1 127.0.0.1
peer stall
mod connect "never.test" 80 nil nil nil 0.2      ! "timeout" ~0.2s
mod connect4 "never.test" 80 nil nil 0.2         ! "timeout" ~0.2s
mod connect6 "never.test" 80 nil nil 0.2         ! "timeout" ~0.2s
mod connect "twice.test" $port nil nil nil 0.6   ! "timeout" ~0.6s
mod connect $host $port "never.test" nil nil 0.2 ! "timeout" ~0.2s
