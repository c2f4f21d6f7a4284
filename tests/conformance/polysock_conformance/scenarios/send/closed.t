# On a closed object send fails with closed, nothing sent.
# proves: send.closed
# level: extended
# deviates: luasocket says that nothing at all can be sent on a closed object
peer listen
mod connect $host $port = object -> c
peer accept
c close                 = 1
c send "abc"            ! "closed" 0
c send "abc" 3          ! "closed" 2
c send ""               ! "closed" 0
  or luasocket          = 0
peer expect eof
