# An object that waits for its name does not hold up others in a set that are ready.
# proves: connect.name.select select.only
# uses: name-limits
# resolver: never.test never
peer listen
mod connect $host $port    = object -> d
c tcp                      = object
c settimeout 0             = 1
c connect "never.test" 80  ! "timeout" ~0s
mod select [c] [c d] 3     = [] [d] ~0s
mod select nil [c] 0.1     = [] [] "timeout" ~0.1s
