# The further calls of a client are misuse on a master.
# proves: kind.misuse.receiveany.master kind.misuse.receiveuntil.master kind.misuse.lines.master
c tcp4             = object
c receiveany       X "calling 'receiveany' on bad self (tcp{client} expected)"
c receiveuntil ";" X "calling 'receiveuntil' on bad self (tcp{client} expected)"
c lines            X "calling 'lines' on bad self (tcp{client} expected)"
