# A port for connect is from 1 to 65535, without a fraction, in digits too.
# proves: misuse.connect.port.range misuse.connect.port.digits
# deviates: luasocket wraps numbers that are too large
c tcp                                  = object
c connect "127.0.0.1" 0                X "bad argument #2 to 'connect'"
c connect "127.0.0.1" -1               X "bad argument #2 to 'connect'"
c connect "127.0.0.1" 65536            X "bad argument #2 to 'connect'"
c connect "127.0.0.1" 9007199254740993 X "bad argument #2 to 'connect'"
c connect "127.0.0.1" 80.5             X "bad argument #2 to 'connect'"
c connect "127.0.0.1" nan              X "bad argument #2 to 'connect'"
c connect "127.0.0.1" -inf             X "bad argument #2 to 'connect'"
c connect "127.0.0.1" "0"              X "bad argument #2 to 'connect'"
c connect "127.0.0.1" "65536"          X "bad argument #2 to 'connect'"
c connect "127.0.0.1" "4294967376"     X "bad argument #2 to 'connect'"
c getfd                                = -1
c tostring                             = <like "tcp{master}: *">
