# connect to a port where nobody listens fails.
# proves: module.connect.refused
peer refuse
mod connect $host $port  ! "connection refused"
mod connect4 $host $port ! "connection refused"
