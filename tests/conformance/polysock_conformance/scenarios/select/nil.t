# nil is an empty set, and empty sets wait for the timeout.
# proves: select.nil select.empty
mod select nil nil 0.1 = [] [] "timeout" ~0.1s
mod select [] [] 0.1   = [] [] "timeout" ~0.1s
mod select [] nil 0    = [] [] "timeout" ~0s
