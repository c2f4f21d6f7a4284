# An unknown option is misuse that names it.
# proves: option.unknown option.case misuse.words
# deviates: luasocket has other quotes
peer listen
mod connect $host $port        = object -> c
peer accept
c setoption "no-such" true     X "unsupported option 'no-such'"
c getoption "no-such"          X "unsupported option 'no-such'"
c getoption "Keepalive"        X "bad argument #1 to 'getoption' (unsupported option 'Keepalive'"
c getoption "keepalive "       X "unsupported option 'keepalive '"
c setoption "" true            X "unsupported option ''"
c getoption ""                 X "unsupported option ''"
c setoption "tcp_nodelay" true X "bad argument #1 to 'setoption' (unsupported option 'tcp_nodelay'"
