# A port for bind is from 0 to 65535, without a fraction.
# proves: misuse.bind.port.range misuse.bind.port.fraction convention.misuse
# deviates: luasocket wraps numbers that are too large
c tcp4                                    = object
c bind "127.0.0.1" -1                     X "bad argument #2 to 'bind'"
c bind "127.0.0.1" 65536                  X "bad argument #2 to 'bind'"
c bind "127.0.0.1" 70000                  X "bad argument #2 to 'bind'"
c bind "127.0.0.1" 9007199254740993       X "bad argument #2 to 'bind'"
c bind "127.0.0.1" -9007199254740993      X "bad argument #2 to 'bind'"
c bind "127.0.0.1" 1.5                    X "bad argument #2 to 'bind'"
c bind "127.0.0.1" nan                    X "bad argument #2 to 'bind'"
c bind "127.0.0.1" inf                    X "bad argument #2 to 'bind'"
c bind "127.0.0.1" 1e300                  X "bad argument #2 to 'bind'"
c bind "127.0.0.1" "65536"                X "bad argument #2 to 'bind'"
c bind "127.0.0.1" "99999999999999999999" X "bad argument #2 to 'bind'"
c getsockname                             = "0.0.0.0" 0 "inet"
c bind "127.0.0.1" 0                      = 1
