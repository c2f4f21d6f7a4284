# Without a bound, or with nil (None), a line may be of any length.
# proves: lines.maxsize
peer listen
mod connect $host $port = object -> c
peer accept
start p peer send repeat("ab",100000)+"\n"+repeat("cd",100000)+"\n"
c lines nil nil         = object -> it
it next                 = repeat("ab",100000)
c lines "*l"            = object -> it
it next                 = repeat("cd",100000)
collect p
