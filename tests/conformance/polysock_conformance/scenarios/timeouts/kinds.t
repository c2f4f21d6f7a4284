# Limits survive the change of kind.
# proves: timeout.kinds
peer listen
c tcp                 = object
c settimeout 0.1      = 1
c settimeout 3 "t"    = 1
c connect $host $port = 1
peer accept
c gettimeout          = 0.1 3.0
c receive             ! "timeout" "" ~0.1s
s tcp4                = object
s settimeout 0.1      = 1
s bind "127.0.0.1" 0  = 1
s listen              = 1
s gettimeout          = 0.1 -1.0
s accept              ! "timeout" ~0.1s
