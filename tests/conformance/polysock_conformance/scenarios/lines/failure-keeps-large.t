# The same for a large count.
# proves: lines.failure.keeps lines.pattern
peer listen
mod connect $host $port = object -> c
peer accept
let $big                = random(100000)
c settimeout 0.1        = 1
start p peer send $big[1..70000]
c lines 100000          = object -> it
it next                 E "timeout"
collect p
start p peer send $big[70001..]+"rest"
it next                 = $big
collect p
c receive 4             = "rest"
c getstats              = 100004 0 <number>
