# wait reports at most max; those that were left out have their turn before others come again.
# proves: poller.max poller.max.turns
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
mod poller                  = object -> p
p add c "w" "t"             = 1
p add d "w" "t"             = 1
p wait 0 1                  = [["t" "w"]]
p wait 0 1                  = [["t" "w"]]
p wait 0 2                  = [["t" "w"] ["t" "w"]]
p wait 0 100                = [["t" "w"] ["t" "w"]]
p modify c "w" "c"          = 1
p modify d "w" "d"          = 1
p wait 0 1                  = [[<text $one> "w"]]
p wait 0 1                  = [[<text $two> "w"]]
p wait 0 1                  = [[$one "w"]]
p wait 0 1                  = [[$two "w"]]
