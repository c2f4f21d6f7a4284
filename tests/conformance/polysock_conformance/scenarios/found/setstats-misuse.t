# What says "leave it" in C is no count and no age: negative ones and NaN are misuse.
# proves: misuse.setstats
# skip: c its type for a count has no negative numbers, and NaN leaves the age as it is
# skip: luasocket ignores what is no number, and takes the others
c tcp4                   = object
c setstats 5 6 7         = 1
c setstats -1            X "bad argument #1 to 'setstats' (received: integer from 0 expected)"
c setstats 1 -1          X "bad argument #2 to 'setstats' (sent: integer from 0 expected)"
c setstats 1 1 nan       X "bad argument #3 to 'setstats' (age: not a number)"
c getstats               = 5 6 <number 7..60>
