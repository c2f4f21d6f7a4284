# A master can neither receive nor send, and is none the worse for being asked.
# proves: kind.misuse.receive.master kind.misuse.send.master kind.misuse.shutdown.master kind.misuse.accept.master kind.misuse.words kind.misuse.nothing convention.misuse
c tcp4               = object
c receive            X "calling 'receive' on bad self (tcp{client} expected)"
c send "x"           X "calling 'send' on bad self (tcp{client} expected)"
c shutdown           X "calling 'shutdown' on bad self (tcp{client} expected)"
c accept             X "calling 'accept' on bad self (tcp{server} expected)"
c tostring           = <like "tcp{master}: *">
c bind "127.0.0.1" 0 = 1
c receive            X "calling 'receive' on bad self (tcp{client} expected)"
c listen             = 1
