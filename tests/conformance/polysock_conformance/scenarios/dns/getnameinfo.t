# getnameinfo gives the names of an address and the service of a port.
# proves: dns.getnameinfo
dns getnameinfo "127.0.0.1"      = <list 1..20>
dns getnameinfo "127.0.0.1" "80" = <list 1..20> "http"
dns getnameinfo nil "80"         = <list> "http"
dns getnameinfo nil "4"          = <list> "4"
