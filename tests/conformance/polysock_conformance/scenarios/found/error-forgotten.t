# An error of a connect that failed is no error of the connection that came after it.
# proves: option.error.none connect.refused.again
# level: extended
# skip: luasocket asks only the system
peer refuse
c tcp4                    = object
c connect $host $port     ! "connection refused"
peer:q listen
c connect $q.host $q.port = 1
peer:q accept
c getoption "error"       = nil
