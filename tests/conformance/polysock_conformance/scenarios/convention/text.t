# Text is refused where bytes are wanted, and bytes where text is, where a language has both.
# proves: convention.str
# uses: strings-apart
peer listen
mod connect $host $port      = object -> c
peer accept
c send t"abc"                X "bad argument #1 to 'send' (data"
c receive "*l" t"abc"        X "bad argument #2 to 'receive' (prefix"
c receiveuntil t";"          X "bad argument #1 to 'receiveuntil' (delimiter"
c getoption b"keepalive"     X "bad argument #1 to 'getoption'"
c connect b"127.0.0.1" $port X "bad argument #1 to 'connect' (address"
