# A server can neither receive nor send, nor be bound or connected or listen again.
# proves: kind.misuse.receive.server kind.misuse.send.server kind.misuse.shutdown.server kind.misuse.bind.server kind.misuse.listen.server kind.misuse.words kind.misuse.nothing
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
s receive              X "calling 'receive' on bad self (tcp{client} expected)"
s send "x"             X "calling 'send' on bad self (tcp{client} expected)"
s shutdown             X "calling 'shutdown' on bad self (tcp{client} expected)"
s bind "127.0.0.1" 0   X "calling 'bind' on bad self (tcp{master} expected)"
s listen               X "calling 'listen' on bad self (tcp{master} expected)"
peer connect "127.0.0.1" $p
s accept               = object -> c
