# So does a connect whose name is still looked up.
# proves: wants.connect connect.name.select
# resolver: slow.test 0.3 127.0.0.1
peer listen
c tcp                             = object
c settimeout 0                    = 1
c connect "slow.test" $port       ! "timeout"
c wants                           = "w"
mod select nil [c] 3              = [] [c]
again c connect "slow.test" $port = 1 <3s
c wants                           = nil
