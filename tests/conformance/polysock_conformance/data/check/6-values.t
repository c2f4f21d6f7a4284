# keep puts a long argument into a slot before the call that needs it; drop forgets a slot.
# `TAG - NAME keep VALUE` stores the value under NAME, and answers `TAG ok`; `oNAME` among the
# arguments of the next call is that value. So the time to read it is not the call's.
let $x = random(10000)
peer listen
c tcp                 = object
c connect $host $port = 1
peer accept
c send $x             = 10000
peer expect $x
c drop                = nil
