# sleep waits as long as it is told, and not at all for zero and less.
# proves: module.sleep module.sleep.negative
mod sleep 0.2  = ~0.2s
mod sleep 0    = ~0s
mod sleep -1   = ~0s
mod sleep -inf = ~0s
