# A port may be a string of digits.
# proves: address.port.digits
peer listen
c tcp                       = object
c connect $host text($port) = 1
peer accept
