# One event, three lines: what is buffered keeps a member ready, and others are reported beside
# it.
# proves: poller.dirty poller.dirty.others
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
mod poller                  = object -> p
p add c "r" "c"             = 1
p add d "r" "d"             = 1
peer send "one\ntwo\nthree\n"
p wait 5                    = [["c" "r"]] <2s
c receive                   = "one"
c pending                   = <integer 1..10>
p wait 5                    = [["c" "r"]] ~0s
c receive                   = "two"
peer:q send "x"
d settimeout 5              = 1
d receive 1                 = "x"
peer:q send "y"
d receive 1                 = "y"
peer:q send "zz"
d receive 1                 = "z"
p wait 5                    = [[<text $one> "r"] [<text $two> "r"]] ~0s
c receive                   = "three"
d receive 1                 = "z"
p wait 0                    ! "timeout"
