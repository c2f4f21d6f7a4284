# An unknown name is a failure with the words of name resolution.
# proves: dns.getaddrinfo.unknown
dns getaddrinfo "no such host" ! "host or service not provided, or not known"
