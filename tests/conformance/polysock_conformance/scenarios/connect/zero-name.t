# With timeout 0 a name that the system knows is connected to as its address would be.
# proves: connect.zero connect.retry.done address.name
peer listen dual
c tcp                       = object
c settimeout 0              = 1
c connect "localhost" $port ! "timeout" <0.5s
mod select nil [c] 3        = [] [c]
again c connect "localhost" $port = 1 <3s
peer accept
c send "ab"                 = 2
peer expect "ab"
