# tohostname of an address gives a name and the same table.
# proves: dns.tohostname
dns tohostname "127.0.0.1" = <text 1..> {name=<text 1..> alias=<list> ip=<list>}
