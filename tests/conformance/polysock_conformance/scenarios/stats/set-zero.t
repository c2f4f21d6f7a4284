# setstats takes zeros.
# proves: stats.set
peer listen
mod connect $host $port = object -> c
peer accept
c setstats 100 200 3000 = 1
c setstats 0 0 0        = 1
c getstats              = 0 0 <number 0..10>
