# The text of an object tells its kind and keeps its address when the kind changes.
# proves: kind.master.text kind.client.text kind.change.identity
peer listen
c tcp                 = object
c tostring            = <like "tcp{master}: 0x*">
c tostring            = <text $t>
c connect $host $port = 1
let $u                = "tcp{client}"+$t[12..]
c tostring            = $u
