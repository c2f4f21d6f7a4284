# Closing an object drops the look-up of a name that is under way, and select ignores the object.
# proves: connect.closed select.closed
# uses: name-limits
# resolver: never.test never
c tcp                      = object
c settimeout 0             = 1
c connect "never.test" 80  ! "timeout" ~0s
c close                    = 1
c connect "never.test" 80  ! "closed" ~0s
mod select nil [c] 0.1     = [] [] "timeout" ~0.1s
