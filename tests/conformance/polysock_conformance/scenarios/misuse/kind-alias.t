# Under its other name a method is the same method.
# proves: object.alias.setsockname object.alias.setpeername kind.misuse.connect.server
# deviates: luasocket lets a server connect
mod bind "127.0.0.1" 0       = object -> s
s getsockname                = "127.0.0.1" <integer $p> "inet"
s setsockname "127.0.0.1" 0  X "on bad self (tcp{master} expected)"
s setpeername "127.0.0.1" $p X "on bad self"
  or luasocket stop
