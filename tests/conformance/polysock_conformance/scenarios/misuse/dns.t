# Names are text.
# proves: misuse.dns
dns toip []                    X "bad argument #1 to 'toip'"
dns toip nil                   X "bad argument #1 to 'toip'"
dns tohostname []              X "bad argument #1 to 'tohostname'"
dns getaddrinfo []             X "bad argument #1 to 'getaddrinfo'"
dns getnameinfo []             X "bad argument #1 to 'getnameinfo'"
dns getnameinfo "127.0.0.1" [] X "bad argument #2 to 'getnameinfo'"
