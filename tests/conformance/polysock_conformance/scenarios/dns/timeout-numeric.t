# Numbers are not looked up: they are answered whatever the limit.
# proves: dns.timeout.numeric
dns toip "127.0.0.1" 0        = "127.0.0.1" <table>
dns getaddrinfo "127.0.0.1" 0 = [{addr="127.0.0.1" family="inet"}]
