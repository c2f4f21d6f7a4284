# A client can neither accept nor be bound nor listen, and its connection lives on.
# proves: kind.misuse.accept.client kind.misuse.bind.client kind.misuse.listen.client kind.misuse.words kind.misuse.nothing
peer listen
mod connect $host $port = object -> c
peer accept
c accept                X "calling 'accept' on bad self (tcp{server} expected)"
c bind "127.0.0.1" 0    X "calling 'bind' on bad self (tcp{master} expected)"
c listen                X "calling 'listen' on bad self (tcp{master} expected)"
c send "ab"             = 2
peer expect "ab"
