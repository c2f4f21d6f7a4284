# An argument that is left out is misuse, told as a wrong one is.
# proves: misuse.missing misuse.bind.missing misuse.connect.missing
# deviates: luasocket raises out of the functions that it is made of
peer listen
m tcp4                  = object
m bind                  X "bad argument #1 to 'bind'"
m bind "127.0.0.1"      X "bad argument #2 to 'bind'"
m connect               X "bad argument #1 to 'connect'"
m connect $host         X "bad argument #2 to 'connect'"
m setoption             X "bad argument #1 to 'setoption'"
m getoption             X "bad argument #1 to 'getoption'"
m setfd                 X "bad argument #1 to 'setfd'"
mod connect $host $port = object -> c
c send                  X "bad argument #1 to 'send'"
mod connect             X "bad argument #1 to 'connect'"
mod connect $host       X "bad argument #2 to 'connect'"
mod sleep               X "bad argument #1 to 'sleep'"
dns toip                X "bad argument #1 to 'toip'"
dns tohostname          X "bad argument #1 to 'tohostname'"
dns getaddrinfo         X "bad argument #1 to 'getaddrinfo'"
mod bind                X "bad argument #1 to 'bind'"
mod bind "127.0.0.1"    X "bad argument #2 to 'bind'"
