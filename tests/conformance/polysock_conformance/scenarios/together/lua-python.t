# A Lua client and a Python server understand each other.
# proves: together.lua.python
python: s tcp4                = object
python: s bind "127.0.0.1" 0  = 1
python: s listen              = 1
python: s getsockname         = "127.0.0.1" <integer $p> "inet"
lua: c tcp                    = object
lua: c connect "127.0.0.1" $p = 1
python: s accept              = object -> d
lua: c getsockname            = "127.0.0.1" <integer $q> "inet"
python: d getpeername         = "127.0.0.1" $q "inet"
lua: c send "a\0\xff\r\nb"    = 6
python: d receive "*L"        = "a\0\xff\r\n"
python: d settimeout 0.05     = 1
python: d receive "*l"        ! "timeout" "b"
lua: c send "c\n"             = 2
python: d receive "*l" "b"    = "bc"
