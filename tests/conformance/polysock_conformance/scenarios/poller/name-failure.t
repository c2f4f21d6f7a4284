# A look-up that fails is news, too; a member that is closed while its name is looked up leaves.
# proves: poller.name poller.closed
# resolver: slow.test 0.3 ::1
# resolver: never.test never
m tcp4                         = object
m settimeout 0                 = 1
m connect "slow.test" 80       ! "timeout"
n tcp                          = object
n settimeout 0                 = 1
n connect "never.test" 80      ! "timeout"
mod poller                     = object -> p
p add m "w" "m"                = 1
p add n "w" "n"                = 1
p wait 4                       = [["m" "w"]] <3s
again m connect "slow.test" 80 ! "host or service not provided, or not known" <3s
n close                        = 1
m close                        = 1
p count                        = 0
p wait 0                       ! "timeout"
