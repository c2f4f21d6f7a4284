# modify changes what a member is watched for, and its token, which stays when none is given.
# proves: poller.modify poller.modify.token
peer listen
mod connect $host $port = object -> c
peer accept
mod poller              = object -> p
p add c "r" "a"         = 1
p wait 0                ! "timeout"
p modify c "w"          = 1
p wait 0                = [["a" "w"]]
p modify c "w" "b"      = 1
p wait 0                = [["b" "w"]]
p modify c "w" nil      = 1
p wait 0                = [["b" "w"]]
p modify c "r" false    = 1
p wait 0                ! "timeout"
peer send "x"
p wait 5                = [[false "r"]] <2s
p modify c "w" c        = 1
p wait 0                = [[c "w"]]
