# A limit is a number or nil, its mode b or t; misuse changes nothing.
# proves: misuse.settimeout.value misuse.settimeout.mode misuse.settimeout.harmless
# deviates: luasocket takes NaN
c tcp                = object
c settimeout 5       = 1
c settimeout 6 "t"   = 1
c settimeout "x"     X "bad argument #1 to 'settimeout'"
c settimeout []      X "bad argument #1 to 'settimeout'"
c settimeout 1 "x"   X "bad argument #2 to 'settimeout'"
c settimeout 1 ""    X "bad argument #2 to 'settimeout'"
c settimeout 1 []    X "bad argument #2 to 'settimeout'"
c gettimeout         = 5.0 6.0
c settimeout nan     X "bad argument #1 to 'settimeout'"
  or luasocket stop
c settimeout nan "t" X "bad argument #1 to 'settimeout'"
c gettimeout         = 5.0 6.0
