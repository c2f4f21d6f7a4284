# The function bind on a port that listens already fails.
# proves: module.bind.inuse
peer listen
mod bind $host $port ! "address already in use"
