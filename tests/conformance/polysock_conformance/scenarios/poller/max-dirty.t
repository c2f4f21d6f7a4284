# With max, members with buffered bytes and members that the system reports take turns.
# proves: poller.max.turns poller.dirty
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
peer send "a\nb\nc\n"
c receive                   = "a"
mod poller                  = object -> p
p add c "r" "c"             = 1
p add d "w" "d"             = 1
p wait 0 1                  = [[<text $one> <text $e>]]
p wait 0 1                  = [[<text $two> <text $f>]]
p wait 0 1                  = [[$one $e]]
p wait 0 1                  = [[$two $f]]
