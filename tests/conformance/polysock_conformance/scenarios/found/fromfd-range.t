# The largest descriptor that a system could have is one; above it there is none.
# proves: fromfd.bad
mod fromfd 2147483647 "client" ! "Bad file descriptor"
mod fromfd 2147483648 "client" X "bad argument #1 to 'fromfd'"
mod fromfd -1 "client"         X "bad argument #1 to 'fromfd'"
