# Options work on masters with a socket, on clients and on servers.
# proves: option.kinds
mod bind "127.0.0.1" 0       = object -> s
s getsockname                = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept                     = object -> c
m tcp4                       = object
m setoption "keepalive" true = 1
m getoption "keepalive"      = true
s setoption "keepalive" true = 1
s getoption "keepalive"      = true
c setoption "keepalive" true = 1
c getoption "keepalive"      = true
c getoption "error"          = nil
s getoption "error"          = nil
