# Who reads the option error takes the outcome of a connect away, and still it has not succeeded.
# proves: connect.retry.refused option.error.pending
# level: extended
# skip: luasocket makes the object a client whatever came of connect
# needs: linux
peer refuse
c tcp                 = object
c settimeout 0        = 1
c connect $host $port ! "timeout" ~0s
mod select nil [c] 3  = [] [c]
c getoption "error"   = "connection refused"
c connect $host $port ! <text>
