# A local address that is not here is a failure.
# proves: module.connect.local address.foreign
# needs: linux
peer listen
mod connect $host $port "192.0.2.201" ! "Cannot assign requested address"
