# getaddrinfo gives addresses with their families.
# proves: dns.getaddrinfo dns.getaddrinfo.numeric
dns getaddrinfo "127.0.0.1" = [{family="inet" addr="127.0.0.1"}]
dns getaddrinfo "::1"       = [{family="inet6" addr="::1"}]
dns getaddrinfo "localhost" = <list 1..20>
