# A prefix that is nothing but the begin of the delimiter gives an empty piece.
# proves: until.prefix.delimiter
peer listen
mod connect $host $port = object -> c
peer accept
peer send "-x--"
c receiveuntil "--" "-" = ""
c receiveuntil "--"     = "x"
