# send takes bytes and answers how many have gone.
# `b` is bytes: there %XX stands for a byte that is no printable ASCII character, for the space
# and for the percent sign.
peer listen
c tcp                         = object
c connect $host $port         = 1
peer accept
c send "a b%41\n\0\xff"       = 9
peer expect "a b%41\n\0\xff"
