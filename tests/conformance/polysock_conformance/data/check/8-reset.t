# reset closes and forgets everything.
# It is sent after each scenario, as `0 - testee reset`. The suite counts the descriptors of
# the process then: here two objects are still open, one of them connected.
peer listen
c tcp                 = object
d tcp                 = object
c connect $host $port = 1
peer accept
