# At the end of the stream receiveany fails with closed and an empty partial.
# proves: any.closed
peer listen
mod connect $host $port = object -> c
peer accept
peer send "ab"
peer close
c receiveany            = "ab"
c receiveany            ! "closed" ""
c receiveany 3          ! "closed" ""
