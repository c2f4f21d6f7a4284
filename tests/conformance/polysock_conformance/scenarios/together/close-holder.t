# Closing wakes a call that waits, and leaves the connection to whoever else holds the descriptor.
# proves: together.close.holder together.close
# needs: threads copies
peer listen
mod connect $host $port = object -> c
peer accept
c getfd                 = <integer $f>
peer:h adopt $f
start r c receive
c close                 = 1
collect r               ! "closed" "" <1s
peer:h send "from the holder"
peer expect "from the holder"
peer send "to the holder"
peer:h expect "to the holder"
