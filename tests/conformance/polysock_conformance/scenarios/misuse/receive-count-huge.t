# A count that no buffer can hold is misuse, in every language alike.
# proves: misuse.receive.count.huge misuse.receive.harmless
# deviates: luasocket cuts it to what a size can hold
peer listen
mod connect $host $port                   = object -> c
peer accept
c settimeout 0.05                         = 1
peer send "line\n"
c receive 1000000000000000000000000000000 X "bad argument #1 to 'receive'"
  or luasocket stop
c receive 9223372036854775808             X "bad argument #1 to 'receive'"
c receive 9223372036854775807             X "bad argument #1 to 'receive'"
c lines 1000000000000000000000000000000   X "bad argument #1 to 'lines'"
c lines 9223372036854775807               X "bad argument #1 to 'lines'"
c receive                                 = "line"
