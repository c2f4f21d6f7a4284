# Closing an object drops the look-up of a name that is under way, and select ignores the object.
# proves: connect.closed select.closed
# resolver: never.test never
# skip: luasocket looks names up without a limit
c tcp                      = object
c settimeout 0             = 1
c connect "never.test" 80  ! "timeout" ~0s
c close                    = 1
c connect "never.test" 80  ! "closed" ~0s
mod select nil [c] 0.1     = [] [] "timeout" ~0.1s
