# send wants data, and indices that are integers; nothing is sent otherwise.
# proves: misuse.send.data misuse.send.index misuse.send.harmless convention.misuse.before
# deviates: luasocket cuts the fraction of an index
peer listen
mod connect $host $port = object -> c
peer accept
c send nil              X "bad argument #1 to 'send'"
c send []               X "bad argument #1 to 'send'"
c send true             X "bad argument #1 to 'send'"
c send "abc" "x"        X "bad argument #2 to 'send'"
c send "abc" []         X "bad argument #2 to 'send'"
c send "abc" 1.5        X "bad argument #2 to 'send'"
c send "abc" nan        X "bad argument #2 to 'send'"
c send "abc" 1 "x"      X "bad argument #3 to 'send'"
c send "abc" 1 []       X "bad argument #3 to 'send'"
c send "abc" 1 2.5      X "bad argument #3 to 'send'"
c send "abc" 1 -inf     X "bad argument #3 to 'send'"
c getstats              = 0 0 <number>
c send "abc"            = 3
peer expect "abc"
peer expect nothing 0.05
