# A descriptor is an integer.
# proves: misuse.setfd
# deviates: luasocket cuts the fraction
peer listen
mod connect $host $port = object -> c
peer accept
c getfd                 = <integer $f>
c setfd "x"             X "bad argument #1 to 'setfd'"
c setfd []              X "bad argument #1 to 'setfd'"
c setfd nil             X "bad argument #1 to 'setfd'"
c setfd 1.5             X "bad argument #1 to 'setfd'"
  or luasocket stop
c setfd 2147483648      X "bad argument #1 to 'setfd'"
c setfd -2              X "bad argument #1 to 'setfd'"
c getfd                 = $f
c send "ab"             = 2
