# The wait after the last byte is counted from that byte.
# proves: timeout.block.perwait timeout.block.fires
# deviates: luasocket counts the block limit from the start of the call
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.6        = 1
start r c receive
pause 0.4
peer send "a"
collect r               ! "timeout" "a" ~1s
  or luasocket          ! "timeout" "a" ~0.6s
