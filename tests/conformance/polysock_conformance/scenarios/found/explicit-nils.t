# An optional argument that is given as nil is one that was left out.
# proves: receive.default send.nil shutdown.default listen.backlog
peer listen
mod connect $host $port nil nil nil  = object -> c
peer accept
c settimeout nil nil                 = 1
c gettimeout                         = -1.0 -1.0
c settimeout 3 nil                   = 1
c gettimeout                         = 3.0 -1.0
c setdeadline nil                    = 1
c getdeadline                        = nil
peer send "one\ntwo\nthreefour;\nfive\n"
c receive nil nil nil                = "one"
c receive "*l" nil nil               = "two"
c receive 5 nil nil                  = "three"
c receiveuntil ";" nil nil           = "four"
c receive "*l" "" nil                = ""
c lines nil                          = object -> it
it next                              = "five"
c send "abc" nil nil                 = 3
c send "abc" 2 nil                   = 3
c setstats 5 6 nil                   = 1
c setstats nil nil nil               = 1
c getstats                           = 5 6 <number 0..60>
c setoption "keepalive" true         = 1
c setoption "keepalive" nil          X "bad argument #2 to 'setoption'"
mod select [c] nil 0                 = [] [] "timeout"
mod select nil [c] nil               = [] [c]
peer send "x"
c receiveany nil                     = "x"
c shutdown nil                       = 1
peer expect "abcbc"
peer expect eof
mod bind "127.0.0.1" 0 nil           = object -> s
m tcp4                               = object
m bind "127.0.0.1" 0                 = 1
m listen nil                         = 1
