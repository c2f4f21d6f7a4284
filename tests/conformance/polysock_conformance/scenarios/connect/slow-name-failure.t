# A name that turns out to be unknown between two calls: select wakes, and the next call says so.
# proves: connect.name.failure connect.name.select connect.refused.master
# uses: name-limits
# resolver: slow.test 0.3 ::1
peer listen
c tcp4                        = object
c settimeout 0                = 1
c connect "slow.test" $port   ! "timeout" ~0s
mod select nil [c] 3          = [] [c]
c connect "slow.test" $port   ! "host or service not provided, or not known" ~0s
c tostring                    = <like "tcp{master}: *">
c settimeout 3                = 1
c connect $host $port         = 1
