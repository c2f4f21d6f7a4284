# The kind is an attribute, where a language has those.
# proves: kind.attribute
peer listen
c tcp                 = object
c field "kind"        = "master"
c connect $host $port = 1
c field "kind"        = "client"
s tcp4                = object
s listen              = 1
s field "kind"        = "server"
s close               = 1
s field "kind"        = "server"
