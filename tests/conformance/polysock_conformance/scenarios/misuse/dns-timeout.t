# The limit of a look-up is a number.
# proves: misuse.dns.timeout
dns toip "127.0.0.1" "x"            X "bad argument #2 to 'toip' (timeout: number expected)"
dns toip "127.0.0.1" nan            X "bad argument #2 to 'toip' (timeout: not a number)"
dns tohostname "127.0.0.1" []       X "bad argument #2 to 'tohostname' (timeout: number expected)"
dns tohostname "127.0.0.1" nan      X "bad argument #2 to 'tohostname' (timeout: not a number)"
dns getaddrinfo "127.0.0.1" true    X "bad argument #2 to 'getaddrinfo' (timeout: number expected)"
dns getaddrinfo "127.0.0.1" nan     X "bad argument #2 to 'getaddrinfo' (timeout: not a number)"
dns getnameinfo "127.0.0.1" nil "x" X "bad argument #3 to 'getnameinfo' (timeout: number expected)"
dns getnameinfo "127.0.0.1" nil nan X "bad argument #3 to 'getnameinfo' (timeout: not a number)"
