# A failure is nil and words, and for receive what had come: `TAG ok n stimeout bpar`.
# It is the result of the call, and printed as every other result.
peer listen
c tcp                     = object
c connect $host $port     = 1
peer accept
peer send "par"
c settimeout 0.2          = 1
c receive                 ! "timeout" "par" >0.2s
peer close
c receive                 ! "closed" ""
