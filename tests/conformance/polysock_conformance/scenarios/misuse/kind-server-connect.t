# A server cannot connect.
# proves: kind.misuse.connect.server kind.misuse.nothing
# deviates: luasocket tries, and makes the server a client
mod bind "127.0.0.1" 0   = object -> s
s getsockname            = "127.0.0.1" <integer $p> "inet"
s connect "127.0.0.1" $p X "calling 'connect' on bad self"
  or luasocket stop
peer connect "127.0.0.1" $p
s accept                 = object -> c
