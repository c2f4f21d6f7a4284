# An unknown mode of shutdown is misuse and shuts nothing down.
# proves: misuse.shutdown.mode
peer listen
mod connect $host $port = object -> c
peer accept
c shutdown "x"          X "bad argument #1 to 'shutdown'"
c shutdown ""           X "bad argument #1 to 'shutdown'"
c shutdown "Both"       X "bad argument #1 to 'shutdown'"
c shutdown []           X "bad argument #1 to 'shutdown'"
c shutdown true         X "bad argument #1 to 'shutdown'"
c send "abc"            = 3
peer expect "abc"
