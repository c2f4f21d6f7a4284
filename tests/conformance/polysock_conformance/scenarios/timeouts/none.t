# nil reads -1 and a negative limit reads as the number given.
# proves: timeout.get.nil timeout.get.negative
c tcp                 = object
c settimeout 5        = 1
c settimeout 6 "t"    = 1
c settimeout nil      = 1
c gettimeout          = -1.0 6.0
c settimeout nil "t"  = 1
c gettimeout          = -1.0 -1.0
c settimeout -3       = 1
c settimeout -0.5 "t" = 1
c gettimeout          = -3.0 -0.5
c settimeout          = 1
c gettimeout          = -1.0 -0.5
