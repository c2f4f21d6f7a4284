# What is left of a connection that broke before connect learnt of it is never taken for the next one's.
# proves: connect.retry.refused connect.refused.again
# level: extended
# needs: linux
peer listen
c tcp                   = object
c settimeout 0          = 1
c connect $host $port   ! "timeout" ~0s
peer accept
peer send "one\x0atwo\x0a"
mod select [c] nil 3    = [c] []
c receive "*l"          = "one"
peer reset
mod select [c] nil 3    = [c] []
c connect $host $port   ! <text>
c pending               = 0
c receive "*l"          X <like "*tcp{client} expected*">
c settimeout 3          = 1
c connect $host $port   = 1
peer accept
peer send "new\x0a"
c receive "*l"          = "new"
