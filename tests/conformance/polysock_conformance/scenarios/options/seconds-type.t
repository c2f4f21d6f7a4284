# tcp-user-timeout refuses NaN and what is no number.
# proves: misuse.option.seconds
# needs: linux
peer listen
mod connect $host $port             = object -> c
peer accept
c setoption "tcp-user-timeout" nan  X "bad argument #2 to 'setoption'"
c setoption "tcp-user-timeout" []   X "bad argument #2 to 'setoption'"
c setoption "tcp-user-timeout" "x"  X "bad argument #2 to 'setoption'"
c setoption "tcp-user-timeout" true X "bad argument #2 to 'setoption'"
c setoption "tcp-user-timeout" nil  X "bad argument #2 to 'setoption'"
c getoption "tcp-user-timeout"      = 0.0
