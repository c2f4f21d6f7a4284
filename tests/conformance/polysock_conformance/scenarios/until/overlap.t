# A false start directly before the delimiter is told apart from it.
# proves: until.overlap
peer listen
mod connect $host $port = object -> c
peer accept
peer send "aaab" "--" "abaabab" "--"
c receiveuntil "aab"    = "a"
c receiveuntil "--"     = ""
c receiveuntil "abab"   = "aba"
c receiveuntil "--"     = ""
