# The further calls of a client are misuse on a server.
# proves: kind.misuse.receiveany.server kind.misuse.receiveuntil.server kind.misuse.lines.server
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s receiveany           X "calling 'receiveany' on bad self (tcp{client} expected)"
s receiveuntil ";"     X "calling 'receiveuntil' on bad self (tcp{client} expected)"
s lines                X "calling 'lines' on bad self (tcp{client} expected)"
