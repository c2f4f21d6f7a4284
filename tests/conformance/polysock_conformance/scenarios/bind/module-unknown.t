# The function bind on an unknown name fails with the words of name resolution.
# proves: module.bind.unknown
mod bind "no such host" 0 ! "host or service not provided, or not known"
