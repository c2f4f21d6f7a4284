# Unknown patterns are misuse, and take no byte from the stream.
# proves: misuse.receive.pattern misuse.receive.pattern.type misuse.receive.harmless
peer listen
mod connect $host $port = object -> c
peer accept
peer send "line\n"
c receive "*x"          X "bad argument #1 to 'receive'"
c receive "x"           X "bad argument #1 to 'receive'"
c receive ""            X "bad argument #1 to 'receive'"
c receive "*"           X "bad argument #1 to 'receive'"
c receive "xl"          X "bad argument #1 to 'receive'"
c receive "line"        X "bad argument #1 to 'receive'"
c receive "**l"         X "bad argument #1 to 'receive'"
c receive " *l"         X "bad argument #1 to 'receive'"
c receive "\0"          X "bad argument #1 to 'receive'"
c receive []            X "bad argument #1 to 'receive'"
c receive {}            X "bad argument #1 to 'receive'"
c receive               = "line"
