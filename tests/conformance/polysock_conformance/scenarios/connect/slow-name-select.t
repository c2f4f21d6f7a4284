# While a name is looked up, the object is writable when the answer is there, and not before.
# proves: connect.name.select
# uses: name-limits
# resolver: slow.test 1 127.0.0.1
peer listen
c tcp                             = object
c settimeout 0                    = 1
c connect "slow.test" $port       ! "timeout" ~0s
mod select nil [c] 0              = [] [] "timeout" ~0s
mod select [c] [c] 0.1            = [] [] "timeout" ~0.1s
mod select nil [c] 4              = [] [c] <3s
again c connect "slow.test" $port = 1 <3s
peer accept
c send "ab"                       = 2
peer expect "ab"
