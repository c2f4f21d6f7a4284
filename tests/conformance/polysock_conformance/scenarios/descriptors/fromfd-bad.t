# A descriptor that is not open is a failure.
# proves: fromfd.bad
# needs: linux
mod fromfd 999999 "client" ! "Bad file descriptor"
