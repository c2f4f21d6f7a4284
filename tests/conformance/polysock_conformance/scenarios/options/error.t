# error is nil when there is none; a pending one is told once, in the system's words where
# those of a failure would hide which it was.
# proves: option.error.none option.error.pending option.error.number
# level: extended
# needs: linux
# deviates: luasocket tells the words of the failure
peer listen
mod connect $host $port = object -> c
peer accept
c getoption "error"     = nil
peer reset
c getoption "error"     = "Connection reset by peer"
  or luasocket          = "closed"
c getoption "error"     = nil
