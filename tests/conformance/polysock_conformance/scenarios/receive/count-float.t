# A number without a fraction is as good as an integer.
# proves: receive.count.float
peer listen
mod connect $host $port = object -> c
peer accept
peer send "abcdef"
c receive 5.0           = "abcde"
