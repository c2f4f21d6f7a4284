# A boolean is no number, in no language.
# proves: misuse.boolean
peer listen
mod connect $host $port    = object -> c
peer accept
peer send "line\n"
c receive true             X "bad argument #1 to 'receive'"
c send "abc" true          X "bad argument #2 to 'send'"
c send "abc" 1 true        X "bad argument #3 to 'send'"
c settimeout true          X "bad argument #1 to 'settimeout'"
c setstats true            X "bad argument #1 to 'setstats'"
c setfd true               X "bad argument #1 to 'setfd'"
mod select nil nil true    X "bad argument #3 to 'select'"
mod sleep true             X "bad argument #1 to 'sleep'"
m tcp4                     = object
m bind "127.0.0.1" true    X "bad argument #2 to 'bind'"
m connect "127.0.0.1" true X "bad argument #2 to 'connect'"
m listen true              X "bad argument #1 to 'listen'"
c receive                  = "line"
