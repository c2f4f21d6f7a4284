# An address may be a host name.
# proves: address.name
peer listen dual
mod connect "localhost" $port = object -> c
peer accept
c send "ab"                   = 2
peer expect "ab"
