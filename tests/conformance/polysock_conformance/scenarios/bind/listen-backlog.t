# listen takes a backlog, nil being the default.
# proves: listen.backlog
s tcp4               = object
s bind "127.0.0.1" 0 = 1
s getsockname        = "127.0.0.1" <integer $p> "inet"
s listen 5           = 1
peer connect "127.0.0.1" $p
d tcp4               = object
d bind "127.0.0.1" 0 = 1
d listen nil         = 1
e tcp4               = object
e bind "127.0.0.1" 0 = 1
e listen 0           = 1
f tcp4               = object
f listen 2147483647  = 1
