# Every byte value passes unchanged both ways.
# proves: convention.bytes
peer listen
mod connect $host $port = object -> c
peer accept
let $all                = "\0\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x7f\x80\x81\xa0\xc0\xc1\xe2\x82\xac\xed\xa0\x80\xf0\xf5\xfe\xff"
c send $all             = len($all)
peer expect $all
peer send $all
c receive len($all)     = $all
let $big                = random(5000)
c send $big             = 5000
peer expect $big
peer send $big
c receive 5000          = $big
