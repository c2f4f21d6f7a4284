# A backlog is an integer.
# proves: misuse.listen.backlog
# deviates: luasocket cuts the fraction
c tcp4               = object
c bind "127.0.0.1" 0 = 1
c listen "x"         X "bad argument #1 to 'listen'"
c listen []          X "bad argument #1 to 'listen'"
c listen 1.5         X "bad argument #1 to 'listen'"
  or luasocket stop
c listen nan         X "bad argument #1 to 'listen'"
c tostring           = <like "tcp{master}: *">
c listen             = 1
