# wake ends a wait of another thread at once; there is nothing ready then.
# proves: poller.wake
# needs: threads
mod poller = object -> p
start w  p wait
p wake     = 1
collect w  = [] <1s
p wait 0   ! "timeout"
