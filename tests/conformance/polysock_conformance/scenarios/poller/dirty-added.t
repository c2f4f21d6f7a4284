# Bytes that were buffered before an object is added count; a member watched for writing alone
# does not
# become readable by them.
# proves: poller.dirty poller.modify
peer listen
mod connect $host $port = object -> c
peer accept
peer send "one\ntwo\n"
c receive               = "one"
mod poller              = object -> p
p add c "w"             = 1
p wait 0                = [[c "w"]]
p modify c "rw"         = 1
p wait 0                = [[c "rw"]]
p modify c "r"          = 1
p wait 5                = [[c "r"]] ~0s
c receive               = "two"
p wait 0                ! "timeout"
