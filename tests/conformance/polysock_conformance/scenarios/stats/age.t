# The age grows with the time.
# proves: stats.age
peer listen
mod connect $host $port = object -> c
peer accept
c setstats nil nil 0    = 1
pause 0.2
c getstats              = 0 0 <number 0.2..3>
