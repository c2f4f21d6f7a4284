# A poller keeps its members alive; when it is closed, one that nobody else has is closed.
# proves: poller.alive
# uses: collects
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "r" "c"         = 1
c drop                  = nil
peer send "x"
p wait 5                = [["c" "r"]] <2s
p count                 = 1
p close                 = 1
p drop                  = nil
peer expect reset
