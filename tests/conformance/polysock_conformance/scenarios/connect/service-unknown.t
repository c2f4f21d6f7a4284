# An unknown service is a failure with the words of name resolution.
# proves: address.port.service.unknown error.service
c tcp                                     = object
c connect "127.0.0.1" "no-such-service"   ! "service not supported for socket type"
c connect "127.0.0.1" "tftp"              ! "service not supported for socket type"
mod connect "127.0.0.1" "no-such-service" ! "service not supported for socket type"
