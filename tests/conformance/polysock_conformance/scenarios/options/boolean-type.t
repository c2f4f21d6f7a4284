# Boolean options refuse every other type.
# proves: misuse.option.boolean option.type misuse.option.missing
peer listen
mod connect $host $port        = object -> c
peer accept
c setoption "keepalive" 1      X "bad argument #2 to 'setoption'"
c setoption "keepalive" 0      X "bad argument #2 to 'setoption'"
c setoption "reuseaddr" "true" X "bad argument #2 to 'setoption'"
c setoption "reuseport" []     X "bad argument #2 to 'setoption'"
c setoption "tcp-nodelay" nil  X "bad argument #2 to 'setoption'"
c setoption "ipv6-v6only" 1    X "bad argument #2 to 'setoption'"
c getoption "keepalive"        = false
