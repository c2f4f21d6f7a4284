# With timeout 0 only the first address of a name is tried.
# proves: connect.zero.first
# needs: dualname
peer listen ipv4
c tcp                       = object
c settimeout 0              = 1
c connect "localhost" $port ! "timeout"
mod select nil [c] 3        = [] [c]
c connect "localhost" $port ! "connection refused"
