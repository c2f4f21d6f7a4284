# A Python client and a Lua server understand each other.
# proves: together.python.lua
lua: s tcp4                      = object
lua: s bind "127.0.0.1" 0        = 1
lua: s listen                    = 1
lua: s getsockname               = "127.0.0.1" <integer $p> "inet"
python: c tcp                    = object
python: c connect "127.0.0.1" $p = 1
lua: s accept                    = object -> d
python: c getsockname            = "127.0.0.1" <integer $q> "inet"
lua: d getpeername               = "127.0.0.1" $q "inet"
python: c send "one;tw"          = 6
lua: d receiveuntil ";"          = "one"
lua: d settimeout 0.05           = 1
lua: d receiveuntil ";"          ! "timeout" "tw"
python: c send "o;"              = 2
lua: d receiveuntil ";" "tw"     = "two"
python: c close                  = 1
lua: d receive                   ! "closed" ""
