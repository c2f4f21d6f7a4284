# Integer options refuse text and fractions.
# proves: misuse.option.integer option.type
# needs: linux
# deviates: luasocket takes anything as a number
peer listen
mod connect $host $port            = object -> c
peer accept
c setoption "tcp-keepcnt" 5        = 1
c setoption "tcp-keepcnt" "x"      X "bad argument #2 to 'setoption'"
  or luasocket stop
c setoption "tcp-keepcnt" 2.5      X "bad argument #2 to 'setoption'"
c setoption "tcp-keepidle" nan     X "bad argument #2 to 'setoption'"
c setoption "tcp-keepintvl" inf    X "bad argument #2 to 'setoption'"
c setoption "recv-buffer-size" []  X "bad argument #2 to 'setoption'"
c setoption "send-buffer-size" nil X "bad argument #2 to 'setoption'"
c getoption "tcp-keepcnt"          = 5
