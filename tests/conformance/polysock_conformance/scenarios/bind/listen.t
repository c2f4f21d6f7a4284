# listen answers 1, makes a server of the object, and connections are taken in.
# proves: listen.done kind.change.listen
s tcp                = object
s bind "127.0.0.1" 0 = 1
s getsockname        = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p ! "refused"
s listen             = 1
s tostring           = <like "tcp{server}: 0x*">
peer connect "127.0.0.1" $p
