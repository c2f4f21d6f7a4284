# Any two testees understand each other: lines, counts, half-close.
# proves: together.dialogue
a: s tcp4                   = object
a: s bind "127.0.0.1" 0     = 1
a: s listen                 = 1
a: s getsockname            = "127.0.0.1" <integer $p> "inet"
b: c tcp                    = object
b: c connect "127.0.0.1" $p = 1
a: s accept                 = object -> d
b: c send "GET /\r\n\r\n"   = 9
a: d receive "*l"           = "GET /"
a: d receive "*l"           = ""
a: d send "5\r\nhello"      = 8
b: c receive "*l"           = "5"
b: c receive 5              = "hello"
b: c shutdown "send"        = 1
a: d receive "*a"           ! "closed" ""
a: d send "bye"             = 3
a: d close                  = 1
b: c receive "*a"           = "bye"
