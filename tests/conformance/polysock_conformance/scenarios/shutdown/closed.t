# On a closed client shutdown answers 1 too.
# proves: shutdown.closed
peer listen
mod connect $host $port = object -> c
peer accept
c close                 = 1
c shutdown              = 1
c shutdown "send"       = 1
c shutdown "receive"    = 1
