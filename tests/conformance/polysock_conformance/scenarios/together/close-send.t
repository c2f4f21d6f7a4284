# Closing wakes a call that waits to send.
# proves: together.close
# needs: threads
peer listen buffers 4096
mod connect $host $port = object -> c
peer accept
start w c send repeat("x",8000000)
c close                 = 1
collect w               ! "closed" <integer 0..7999999> <2s
