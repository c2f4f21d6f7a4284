# A new object has received 0 bytes, sent 0, and is young.
# proves: stats.new stats.integers convention.integers
peer listen
mod connect $host $port = object -> c
peer accept
c getstats              = 0 0 <number 0..5>
