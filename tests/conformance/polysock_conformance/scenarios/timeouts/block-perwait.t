# The block limit counts each wait by itself, so bytes that trickle in keep a call alive.
# proves: timeout.block.perwait
# deviates: luasocket counts the block limit from the start of the call
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.6        = 1
start r c receive
peer send "a" pause 0.25 "b" pause 0.25 "c" pause 0.25 "d" pause 0.25 "e\n"
collect r               = "abcde" ~1s
  or luasocket          ! "timeout" <any> ~0.6s
