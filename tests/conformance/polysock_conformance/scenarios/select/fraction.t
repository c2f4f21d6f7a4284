# A timeout may be a fraction of a second, and never fires early.
# proves: select.timeout timeout.early
peer listen
mod connect $host $port   = object -> c
peer accept
mod select [c] nil 0.0505 = [] [] "timeout" ~0.0505s
