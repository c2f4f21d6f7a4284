# connect takes an address and a port, and answers 1.
# Arguments follow the method, each a letter and a value: `s` text, `i` an integer. Print what
# your library returned, with its letter: `TAG ok i1`.
peer listen
c tcp                 = object
c connect $host $port = 1
peer accept
c close               = 1
peer expect eof
