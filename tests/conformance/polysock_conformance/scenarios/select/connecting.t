# An object whose connect is on its way is not writable before the outcome.
# proves: connect.retry.select select.connect
peer stall
c tcp                  = object
c settimeout 0         = 1
c connect $host $port  ! "timeout"
mod select nil [c] 0.1 = [] [] "timeout" ~0.1s
peer unstall
mod select nil [c] 4   = [] [c] <4s
