# Objects without a socket are ignored.
# proves: select.undecided
m tcp                  = object
mod select [m] [m] 0.1 = [] [] "timeout" ~0.1s
