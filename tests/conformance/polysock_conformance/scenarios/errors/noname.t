# An unknown host or service has the same words in every function.
# proves: error.noname error.service
c tcp                                     = object
c bind "no such host" 80                  ! "host or service not provided, or not known"
c connect "no such host" 80               ! "host or service not provided, or not known"
mod connect "no such host" 80             ! "host or service not provided, or not known"
mod bind "no such host" 80                ! "host or service not provided, or not known"
dns getaddrinfo "no such host"            ! "host or service not provided, or not known"
mod connect "127.0.0.1" "no-such-service" ! "service not supported for socket type"
