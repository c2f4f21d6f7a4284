# Closing wakes a call that waits to accept.
# proves: together.close
# needs: threads
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
start a s accept
s close                = 1
collect a              ! "closed" <1s
