# A host name with characters beyond ASCII is misuse, and the text says what is expected.
# proves: misuse.text.ascii
# deviates: luasocket asks the resolver for it
c tcp                                        = object
c connect "m\xc3\xbcnchen.test" 80           X "bad argument #1 to 'connect' (address: name in ASCII expected)"
  or luasocket stop
c bind "m\xc3\xbcnchen.test" 0               X "bad argument #1 to 'bind' (address: name in ASCII expected)"
mod connect "m\xc3\xbcnchen.test" 80         X "bad argument #1 to 'connect' (address: name in ASCII expected)"
mod connect "127.0.0.1" 80 "\xe4\xbe\x8b.test" X "bad argument #3 to 'connect' (locaddr: name in ASCII expected)"
mod connect4 "m\xc3\xbcnchen.test" 80        X "bad argument #1 to 'connect4' (address: name in ASCII expected)"
mod connect6 "m\xc3\xbcnchen.test" 80        X "bad argument #1 to 'connect6' (address: name in ASCII expected)"
mod bind "m\xc3\xbcnchen.test" 0             X "bad argument #1 to 'bind' (address: name in ASCII expected)"
dns toip "m\xc3\xbcnchen.test"               X "bad argument #1 to 'toip' (address: name in ASCII expected)"
dns tohostname "m\xc3\xbcnchen.test"         X "bad argument #1 to 'tohostname' (address: name in ASCII expected)"
dns getaddrinfo "m\xc3\xbcnchen.test"        X "bad argument #1 to 'getaddrinfo' (address: name in ASCII expected)"
dns getnameinfo "m\xc3\xbcnchen.test"        X "bad argument #1 to 'getnameinfo' (address: name in ASCII expected)"
c tostring                                   = <like "tcp{master}: *">
c getfd                                      = -1
