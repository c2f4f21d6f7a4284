# A client whose peer has closed is ready to receive; one that was reset, for all it was added
# for.
# proves: poller.end
peer listen
mod connect $host $port     = object -> c
peer accept
mod poller                  = object -> p
p add c "r"                 = 1
peer close connection
p wait 5                    = [[c "r"]] <2s
c receive                   ! "closed" ""
p wait 0                    = [[c "r"]]
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
p remove c                  = 1
p add d "r"                 = 1
peer:q reset
p wait 5                    = [[d "r"]] <2s
p modify d "w"              = 1
p wait 5                    = [[d "w"]] ~0s
