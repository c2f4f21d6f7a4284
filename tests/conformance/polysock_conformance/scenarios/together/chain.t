# Large data sent in parts by one language arrive whole in the other.
# proves: together.chain
lua: s tcp4                                 = object
lua: s setoption "recv-buffer-size" 8192    = 1
lua: s bind "127.0.0.1" 0                   = 1
lua: s listen                               = 1
lua: s getsockname                          = "127.0.0.1" <integer $p> "inet"
python: c tcp4                              = object
python: c setoption "send-buffer-size" 8192 = 1
python: c connect "127.0.0.1" $p            = 1
lua: s accept                               = object -> d
let $big                                    = random(200000)
python: c settimeout 0.1                    = 1
python: c send $big                         ! "timeout" <integer 1..199999 $n>
start r lua: d receive 200000
python: c settimeout nil                    = 1
python: c send $big $n+1                    = 200000
collect r                                   = $big
python: c shutdown "send"                   = 1
lua: d receive                              ! "closed" ""
lua: d send $big 2 4                        = 4
lua: d close                                = 1
python: c receive "*a"                      = $big[2..4]
