# A call with another tag than 0 has `TAG tid NUMBER` printed before it is made.
# NUMBER is that of the thread that makes the call; a language without threads prints
# `TAG tid 0` and makes the call. All other lines have the tag 0.
peer listen
c tcp                 = object
c connect $host $port = 1
peer accept
start r  c receive
peer send "later\n"
collect r             = "later"
