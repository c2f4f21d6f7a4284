# A look-up that is done in time answers as without a limit; nil (None) and less than 0 are none.
# proves: dns.timeout dns.timeout.none
# resolver: slow.test 0.2 127.0.0.1
dns toip "slow.test" 4        = "127.0.0.1" <table> ~0.2s
dns toip "slow.test" -1       = "127.0.0.1" <table> ~0.2s
dns toip "slow.test" nil      = "127.0.0.1" <table> ~0.2s
dns toip "slow.test" inf      = "127.0.0.1" <table> ~0.2s
dns getaddrinfo "slow.test" 4 = [{addr="127.0.0.1" family="inet"}] ~0.2s
