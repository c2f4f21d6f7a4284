# A delimiter that stands whole in the prefix is plain data, like a line's end in a line's.
# proves: until.prefix.whole
peer listen
mod connect $host $port    = object -> c
peer accept
peer send "cab" "xab"
c receiveuntil "ab" "ab"   = "abc"
c receiveuntil "ab" "1ab2" = "1ab2x"
