# wake without a wait ends the next one, and that one alone.
# proves: poller.wake.before
mod poller = object -> p
p wake     = 1
p wake     = 1
p wait 5   = [] ~0s
p wait 0.2 ! "timeout" ~0.2s
