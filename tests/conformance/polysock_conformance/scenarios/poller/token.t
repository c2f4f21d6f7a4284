# The token comes back in place of the object; without one, the object itself.
# proves: poller.token poller.token.any
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "w"             = 1
p wait 0                = [[c "w"]]
p remove c              = 1
p add c "w" "text"      = 1
p wait 0                = [["text" "w"]]
p remove c              = 1
p add c "w" 17          = 1
p wait 0                = [[17 "w"]]
p remove c              = 1
p add c "w" false       = 1
p wait 0                = [[false "w"]]
p remove c              = 1
p add c "w" p           = 1
p wait 0                = [[p "w"]]
p remove c              = 1
p add c "w" nil         = 1
p wait 0                = [[c "w"]]
