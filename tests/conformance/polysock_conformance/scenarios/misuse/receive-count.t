# A count is an integer from 0.
# proves: misuse.receive.count.negative misuse.receive.count.fraction misuse.receive.count.nan misuse.receive.harmless
# deviates: luasocket rounds, and takes numbers that are not finite
peer listen
mod connect $host $port     = object -> c
peer accept
peer send "line\n"
c receive -1                X "bad argument #1 to 'receive'"
c receive -9007199254740993 X "bad argument #1 to 'receive'"
c receive 2.5               X "bad argument #1 to 'receive'"
  or luasocket stop
c receive -0.5              X "bad argument #1 to 'receive'"
c receive nan               X "bad argument #1 to 'receive'"
c receive inf               X "bad argument #1 to 'receive'"
c receive -inf              X "bad argument #1 to 'receive'"
c receive 1e300             X "bad argument #1 to 'receive'"
c receive                   = "line"
