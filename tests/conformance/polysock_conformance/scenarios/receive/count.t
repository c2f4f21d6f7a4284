# A number receives exactly so many bytes, unchanged, and leaves the rest.
# proves: receive.count receive.count.raw
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a\r\n\0bcdef"
c receive 5             = "a\r\n\0b"
c receive 1             = "c"
c receive 3             = "def"
