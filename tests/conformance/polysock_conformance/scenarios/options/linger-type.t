# linger refuses everything but its two fields, each of its type.
# proves: misuse.option.linger option.type
peer listen
mod connect $host $port                    = object -> c
peer accept
c setoption "linger" true                  X "bad argument #2 to 'setoption'"
c setoption "linger" 5                     X "bad argument #2 to 'setoption'"
c setoption "linger" "x"                   X "bad argument #2 to 'setoption'"
c setoption "linger" nil                   X "bad argument #2 to 'setoption'"
c setoption "linger" {}                    X "bad argument #2 to 'setoption'"
c setoption "linger" {on=true}             X "bad argument #2 to 'setoption'"
c setoption "linger" {timeout=1}           X "bad argument #2 to 'setoption'"
c setoption "linger" {on=1 timeout=1}      X "bad argument #2 to 'setoption'"
c setoption "linger" {on=true timeout="x"} X "bad argument #2 to 'setoption'"
c getoption "linger"                       = {on=false timeout=0}
