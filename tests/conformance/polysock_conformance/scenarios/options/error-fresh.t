# A connect that succeeds leaves no error of an attempt before it.
# proves: option.error.fresh
peer listen
peer:q refuse
c tcp                        = object
c connect $q.host $q.port    ! "connection refused"
c connect $host $port        = 1
c getoption "error"          = nil
