# The option error tells a refused connect too.
# proves: option.error.pending select.connect
peer refuse
c tcp                 = object
c settimeout 0        = 1
c connect $host $port ! "timeout" ~0s
mod select nil [c] 3  = [] [c]
c getoption "error"   = "connection refused"
c getoption "error"   = nil
