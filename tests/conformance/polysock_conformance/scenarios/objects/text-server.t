# The text of a server has the address of the master that it was.
# proves: kind.server.text kind.change.identity kind.change.listen
s tcp4     = object
s tostring = <text $t>
s listen   = 1
let $u     = "tcp{server}"+$t[12..]
s tostring = $u
s close    = 1
s tostring = $u
