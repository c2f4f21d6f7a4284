# A line may hold every byte but LF, CR being dropped.
# proves: receive.line.nul convention.bytes
peer listen
mod connect $host $port = object -> c
peer accept
peer send "\0\x01\t\x0b\x0c\x1a\x7f\x80\xc3\xa9\xff\xfe\0\n"
c receive               = "\0\x01\t\x0b\x0c\x1a\x7f\x80\xc3\xa9\xff\xfe\0"
