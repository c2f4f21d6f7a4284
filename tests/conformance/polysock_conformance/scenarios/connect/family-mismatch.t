# Numbers of the other family are a failure, and no harm to the object.
# proves: address.family.mismatch connect.tcp6.only4
# needs: ipv6
peer listen
c tcp6                      = object
c connect "127.0.0.1" $port ! <any>
c getfamily                 = "inet6"
d tcp4                      = object
d connect "::1" $port       ! <any>
d getfamily                 = "inet4"
d connect $host $port       = 1
