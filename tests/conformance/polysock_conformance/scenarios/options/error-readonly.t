# Setting error is misuse.
# proves: option.error.readonly
peer listen
mod connect $host $port      = object -> c
peer accept
c setoption "error" nil      X "bad argument #1 to 'setoption'"
c setoption "error" "closed" X "bad argument #1 to 'setoption'"
