# toip of a name gives an IPv4 address and a table.
# proves: dns.toip
dns toip "localhost" = "127.0.0.1" {name=<text 1..> alias=<list> ip=<list>}
dns toip "127.0.0.1" = "127.0.0.1" {name=<text 1..> alias=<list> ip=<list>}
