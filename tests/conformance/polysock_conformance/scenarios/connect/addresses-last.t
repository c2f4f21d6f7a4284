# When all addresses fail, the last failure is reported.
# proves: connect.addresses.last
peer refuse
mod connect "localhost" $port ! "connection refused"
