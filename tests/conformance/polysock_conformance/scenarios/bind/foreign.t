# An address that is not local is a failure with the system's words.
# proves: address.foreign error.system
# needs: linux
c tcp4                 = object
c bind "192.0.2.201" 0 ! "Cannot assign requested address"
c bind "127.0.0.1" 0   = 1
