# On a closed object misuse of arguments is misuse still.
# proves: convention.misuse.before
peer listen
mod connect $host $port   = object -> c
peer accept
c close                   = 1
c receive "*x"            X "bad argument #1 to 'receive'"
c send []                 X "bad argument #1 to 'send'"
c settimeout "x"          X "bad argument #1 to 'settimeout'"
c setoption "keepalive" 5 X "bad argument #2 to 'setoption'"
c shutdown "x"            X "bad argument #1 to 'shutdown'"
