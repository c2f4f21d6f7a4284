# A delimiter may be several bytes, and other bytes are not touched.
# proves: until.multibyte until.raw
peer listen
mod connect $host $port   = object -> c
peer accept
peer send "a\r\nb\n\r\0c\r\n\r\nbody"
c receiveuntil "\r\n\r\n" = "a\r\nb\n\r\0c"
c receive 4               = "body"
