# What setstats is not given stays as it is.
# proves: stats.set.partial
peer listen
mod connect $host $port = object -> c
peer accept
c setstats 100 200 3000 = 1
c setstats              = 1
c setstats nil 5        = 1
c getstats              = 100 5 <number 3000..3010>
c setstats 7            = 1
c getstats              = 7 5 <number 3000..3010>
c setstats nil nil 20   = 1
c getstats              = 7 5 <number 20..30>
