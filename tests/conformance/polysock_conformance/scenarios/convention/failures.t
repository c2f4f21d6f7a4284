# Failures are returned, with an empty byte string where nothing came, never raised.
# proves: convention.failure convention.partial
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0          = 1
c receive               ! "timeout" ""
c receive 3             ! "timeout" ""
c receive "*a"          ! "timeout" ""
peer close
c receive               ! "closed" ""
