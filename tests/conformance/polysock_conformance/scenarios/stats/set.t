# setstats answers 1 and sets all three; counting goes on from there.
# proves: stats.set stats.goeson
peer listen
mod connect $host $port = object -> c
peer accept
c setstats 100 200 3000 = 1
c getstats              = 100 200 <number 3000..3010>
c send "ab"             = 2
peer send "xyz"
c receive 3             = "xyz"
c getstats              = 103 202 <number 3000..3010>
