# A wrong kind is misuse on a closed object too.
# proves: kind.misuse.closed kind.closed
mod bind "127.0.0.1" 0 = object -> s
s getsockname          = "127.0.0.1" <integer $p> "inet"
peer connect "127.0.0.1" $p
s accept               = object -> c
s close                = 1
s receive              X "calling 'receive' on bad self (tcp{client} expected)"
c close                = 1
c accept               X "calling 'accept' on bad self (tcp{server} expected)"
c listen               X "calling 'listen' on bad self (tcp{master} expected)"
