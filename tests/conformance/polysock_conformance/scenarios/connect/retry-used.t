# A connection on its way can be used without asking for the outcome.
# proves: connect.retry.select
peer listen
c tcp                 = object
c settimeout 0        = 1
c connect $host $port ! "timeout"
mod select nil [c] 3  = [] [c]
peer accept
c send "ab"           = 2
peer expect "ab"
