# A connect that is under way waits to write, until its outcome is known.
# proves: wants.connect wants.none
peer stall
c tcp                 = object
c wants               = nil
c settimeout 0.1      = 1
c connect $host $port ! "timeout"
c wants               = "w"
peer unstall
c settimeout 4        = 1
c connect $host $port = 1
c wants               = nil
