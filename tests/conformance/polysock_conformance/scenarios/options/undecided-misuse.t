# Arguments are checked although there is no socket yet.
# proves: convention.misuse.before option.unknown option.type
# deviates: luasocket has other words
c tcp                       = object
c setoption "no-such" true  X "unsupported option 'no-such'"
c setoption "keepalive" "x" X "bad argument #2 to 'setoption'"
