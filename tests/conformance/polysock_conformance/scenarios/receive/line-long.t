# A line much longer than any buffer arrives whole.
# proves: receive.line.long
peer listen
mod connect $host $port = object -> c
peer accept
let $line               = repeat("0123456789abcdef",20000)
start p peer send $line+"\r\nend\n"
c receive               = $line
c receive               = "end"
collect p
