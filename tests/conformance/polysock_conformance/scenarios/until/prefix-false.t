# A prefix that ends in a part of the delimiter which does not go on is plain data.
# proves: until.prefix.delimiter until.overlap
peer listen
mod connect $host $port   = object -> c
peer accept
peer send "aab-" "b;aab"
c receiveuntil "aab" "xa" = "xa"
c receiveuntil "aab" "a"  = "a-b;"
