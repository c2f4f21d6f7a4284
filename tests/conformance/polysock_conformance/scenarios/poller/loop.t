# In the loop over the ready ones: members are closed, removed, and others added.
# proves: poller.closed.loop
peer listen
mod connect $host $port     = object -> c
peer accept
peer:q listen
mod connect $q.host $q.port = object -> d
peer:q accept
mod connect $q.host $q.port = object -> e
mod poller                  = object -> p
p add c "w" "c"             = 1
p add d "w" "d"             = 1
p wait 0                    = [[<text> "w"] [<text> "w"]]
c close                     = 1
p remove d                  = 1
p add e "w" "e"             = 1
p wait 0                    = [["e" "w"]]
p add d "w" "f"             = 1
e close                     = 1
p wait 0                    = [["f" "w"]]
