# A timeout of *a at exactly maxsize bytes gives one less, and the stream goes on rightly.
# proves: receive.maxsize.timeout
peer listen
mod connect $host $port = object -> c
peer accept
c settimeout 0.05       = 1
peer send "hello"
c receive "*a" "" 5     ! "timeout" "hell" ~0.05s
peer close
c receive "*a" "hell" 5 = "hello"
