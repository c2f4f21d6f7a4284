# A timeout and a close give all that came as partial.
# proves: until.partial.timeout until.partial.closed
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
c receiveuntil "--"     ! "timeout" "" ~0.05s
peer send "ab-"
c receiveuntil "--"     ! "timeout" "ab-" ~0.05s
peer send "cd"
peer close
c receiveuntil "--"     ! "closed" "cd"
c receiveuntil "--"     ! "closed" ""
