# A name that cannot be resolved is a failure with the words of name resolution.
# proves: address.unknown error.noname
c tcp                          = object
c connect "no such host" 80    ! "host or service not provided, or not known"
mod connect "no such host" 80  ! "host or service not provided, or not known"
mod connect4 "no such host" 80 ! "host or service not provided, or not known"
