# A client with buffered bytes is readable at once, whatever the timeout.
# proves: select.dirty
peer listen
mod connect $host $port = object -> c
peer accept
peer send "a\nb"
c receive               = "a"
mod select [c] nil      = [c] [] ~0s
mod select [c] nil 5    = [c] [] ~0s
mod select [c] nil 0    = [c] [] ~0s
c receive 1             = "b"
mod select [c] nil 0    = [] [] "timeout"
