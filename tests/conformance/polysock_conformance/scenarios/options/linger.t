# linger is off at first and reads back its two fields.
# proves: option.linger.off option.linger.roundtrip
peer listen
mod connect $host $port                   = object -> c
peer accept
c getoption "linger"                      = {on=false timeout=0}
c setoption "linger" {on=true timeout=7}  = 1
c getoption "linger"                      = {on=true timeout=7}
c setoption "linger" {on=false timeout=0} = 1
c getoption "linger"                      = {on=false timeout=<number>}
