# The numbers of setstats are numbers or nil; misuse changes none of them.
# proves: misuse.setstats
# deviates: luasocket ignores an age that is no number
peer listen
mod connect $host $port = object -> c
peer accept
c setstats "x"          X "bad argument #1 to 'setstats'"
c setstats []           X "bad argument #1 to 'setstats'"
c setstats 1 "x"        X "bad argument #2 to 'setstats'"
  or luasocket stop
c setstats 1 []         X "bad argument #2 to 'setstats'"
c setstats 1 2 "x"      X "bad argument #3 to 'setstats'"
c setstats 1 2 []       X "bad argument #3 to 'setstats'"
c getstats              = 0 0 <number 0..5>
