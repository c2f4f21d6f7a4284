# receive answers bytes, written as they are read: with %XX.
# Use the letter `b`, or `a` if your language does not tell bytes and text apart. Without an
# argument receive reads a line.
peer listen
c tcp                     = object
c connect $host $port     = 1
peer accept
peer send "a b%41\xff\ncd\n"
c receive                 = "a b%41\xff"
c receive 2               = "cd"
