# A name that cannot be resolved is a failure with the words of name resolution.
# proves: address.unknown error.noname
c tcp                                = object
c bind "no such host" 0              ! "host or service not provided, or not known"
c bind "127.0.0.1" "no-such-service" ! "service not supported for socket type"
