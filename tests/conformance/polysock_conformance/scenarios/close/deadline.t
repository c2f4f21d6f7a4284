# Deadline, pending and descriptor answer on a closed object.
# proves: close.answers getfd.closed detach.closed
peer listen
mod connect $host $port = object -> c
peer accept
c close                 = 1
c setdeadline 5         = 1
c getdeadline           = <number 4..5>
c setdeadline nil       = 1
c getdeadline           = nil
c pending               = 0
c getfd                 = -1
c detach                ! "closed"
