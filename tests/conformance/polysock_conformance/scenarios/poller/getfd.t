# The descriptor of a poller is readable when a wait would not have to wait.
# proves: poller.getfd poller.foreign
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p getfd                 = <integer 0..1000000 $f>
p add c "r"             = 1
mod poller              = object -> q
f foreign $f            = nil
q add f "r" "p"         = 1
q wait 0                ! "timeout"
peer send "one\ntwo\n"
q wait 5                = [["p" "r"]] <2s
p wait 0                = [[c "r"]]
c receive               = "one"
q wait 5                = [["p" "r"]] ~0s
c receive               = "two"
p wait 0                ! "timeout"
q wait 0                ! "timeout"
p wake                  = 1
q wait 5                = [["p" "r"]] ~0s
p wait 5                = []
p wait 0                ! "timeout"
q wait 0                ! "timeout"
