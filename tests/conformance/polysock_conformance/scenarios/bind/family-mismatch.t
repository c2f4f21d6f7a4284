# Numbers of the other family are a failure, and no harm to the object.
# proves: address.family.mismatch
# needs: ipv6
c tcp4               = object
c bind "::1" 0       ! <any>
c bind "127.0.0.1" 0 = 1
d tcp6               = object
d bind "127.0.0.1" 0 ! <any>
d bind "::1" 0       = 1
